// What pages keep: what was loaded, the address, and small choices of the visitor.

import { useCallback, useEffect, useState } from "./vendor/htm-preact.js";

/** Load something whenever `changes` change: `{value, problem, loading, again}`.
 *
 * What was loaded before stays in view while more is loaded; an answer that comes too late, after
 * a newer question, is passed over. With `every` seconds, it is loaded again and again.
 */
export function useLoaded(load, changes = [], { every = 0 } = {}) {
  const [state, setState] = useState({ loading: true });
  const [round, setRound] = useState(0);
  const again = useCallback(() => setRound((one) => one + 1), []);
  useEffect(() => {
    const stop = new AbortController();
    setState((one) => ({ ...one, loading: true }));
    Promise.resolve()
      .then(() => load(stop.signal))
      .then((value) => stop.signal.aborted || setState({ value, loading: false }))
      .catch((problem) => stop.signal.aborted || setState((one) => ({ ...one, problem, loading: false })));
    return () => stop.abort();
  }, [...changes, round]);
  useEffect(() => {
    if (!every) return undefined;
    const timer = setInterval(() => document.hidden || again(), every * 1000);
    return () => clearInterval(timer);
  }, [every]);
  return { ...state, again };
}

/** The query of the page's address as an object, and a function that changes it and goes there. */
export function useAddress() {
  const read = () => Object.fromEntries(new URLSearchParams(location.search));
  const [query, setQuery] = useState(read);
  useEffect(() => {
    const back = () => setQuery(read());
    addEventListener("popstate", back);
    return () => removeEventListener("popstate", back);
  }, []);
  const go = useCallback((changed) => {
    const given = Object.entries({ ...read(), ...changed }).filter(([, value]) => value !== undefined && value !== "");
    const words = new URLSearchParams(given).toString();
    history.pushState(null, "", words ? `?${words}` : location.pathname);
    setQuery(Object.fromEntries(given));
  }, []);
  return [query, go];
}

/** A small choice of the visitor, kept in this browser. */
export const recall = (name, otherwise) => {
  try {
    return JSON.parse(localStorage.getItem(`tiepoint-${name}`)) ?? otherwise;
  } catch {
    return otherwise;
  }
};
export const remember = (name, value) => localStorage.setItem(`tiepoint-${name}`, JSON.stringify(value));
