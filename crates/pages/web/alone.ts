// One window of a page at a time.

/** Opens the page in this window, unless it is open in another and not to be taken from there. */
export function openAlone(
  name: string,
  steal: boolean,
  to: { open: () => Promise<void>; isElsewhere: () => void; isLost: (why: unknown) => void },
): void {
  void navigator.locks
    .request(name, steal ? { steal: true } : { ifAvailable: true }, async (lock) => {
      if (!lock) {
        to.isElsewhere();
        return;
      }
      await to.open();
      await new Promise<never>(() => {});
    })
    .catch(to.isLost);
}
