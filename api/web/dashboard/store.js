// A value that parts of the page watch.
import { useEffect, useState } from "./vendor/htm/preact-standalone.module.js";

export function store(initial) {
  const watchers = new Set();
  const self = {
    now: initial,
    set(change) {
      self.now = { ...self.now, ...change };
      for (const watcher of [...watchers]) watcher(self.now);
    },
    watch(watcher) {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
  };
  return self;
}

export function useStore(which) {
  const [, again] = useState(0);
  useEffect(() => which.watch(() => again((n) => n + 1)), [which]);
  return which.now;
}

// Paints again every `ms`: countdowns and ages.
export function useTick(ms = 500) {
  const [, again] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => again((n) => n + 1), ms);
    return () => clearInterval(timer);
  }, [ms]);
}
