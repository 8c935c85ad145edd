// The page Cameras and alerts.

import { Loaded, html, t, useEffect, useLoaded, useState } from "../../../assets/tiepoint.js";
import { Wall } from "./wall.js";
import { Alerts } from "./alerts.js";
import { Footage } from "./footage.js";

export default function Security({ api, may }) {
  const overview = useLoaded((signal) => api.get("/v1/security/cameras", { signal }), [], { every: 5 });
  const [round, setRound] = useState(0);
  useEffect(() => {
    const live = new EventSource(`${document.documentElement.dataset.root}/v1/security/alerts/live`);
    live.onmessage = () => setRound((one) => one + 1);
    return () => live.close();
  }, []);
  return html`<${Loaded} of=${overview}>${({ cameras, footage }) => html`<div class="security">
    <${Alerts} ...${{ api, may, round, cameras }} />
    <${Wall} cameras=${cameras} />
    ${footage && html`<${Footage} api=${api} collection=${footage} />`}
  </div>`}<//>`;
}
