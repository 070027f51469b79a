// A newer page, that waits until it is let.

import { signal as state } from "@preact/signals";

/** The service worker of a newer page, once there is one. */
export const newer = state<ServiceWorker | null>(null);

export async function watchForUpdates(): Promise<void> {
  const registration = await navigator.serviceWorker?.getRegistration?.();
  if (!registration) return;
  const note = () => {
    if (registration.waiting && navigator.serviceWorker.controller) newer.value = registration.waiting;
  };
  note();
  registration.addEventListener("updatefound", () => {
    registration.installing?.addEventListener("statechange", note);
  });
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (newer.value) location.reload();
  });
}
