// What a page's module imports: the toolkit (Preact with htm), and the parts that pages share.
// A page in `<folder>/page.js` is served from `pages/<name>/files/`, so it imports
// `../../../assets/tiepoint.js`, which also holds where the service is mounted below a path.

export {
  html,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "./vendor/htm-preact.js";
export { Problem, address, api, pictureAddress } from "./api.js";
export { brief, language, number, percent, span, t, time, unit } from "./language.js";
export { Dialog, Empty, Failed, Loaded, Busy, Contributions, Picture, Status, Told, inWords, routed, say } from "./parts.js";
export { remember, recall, useLoaded, useAddress } from "./state.js";
