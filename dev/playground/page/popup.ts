/** Another window of this origin hears when this entry of the storage comes and goes. */
const ARRIVAL = 'playground.entra-answered';
const LOOK_EVERY_MS = 300;
/** The window closes itself once it has brought the answer, and the news of that may come a little after its closing. */
const MAX_NEWS_DELAY_MS = 2_000;

/** Tells the page that opened this popup that Entra's answer has arrived, so that its closing means nothing any more. */
export function tellArrival(): void {
  localStorage.setItem(ARRIVAL, 'now');
  localStorage.removeItem(ARRIVAL);
}

/**
 * Fails when a popup is closed before Entra's answer has arrived, which MSAL itself does not notice; never ends
 * otherwise. It works where the sign-in page lets its opener see it, as the emulator does.
 *
 * @throws {Error} for the person
 */
export function failWhenClosed(popup: Window, signal: AbortSignal): Promise<never> {
  const answered = new AbortController();
  const over = AbortSignal.any([signal, answered.signal]);
  window.addEventListener('storage', ({ key }) => key === ARRIVAL && answered.abort(), { signal: over });
  return new Promise((_resolve, reject) => {
    whenClosed(popup, over)
      .then(() => pause(MAX_NEWS_DELAY_MS, over))
      .then(
        () => reject(new Error('The window of Entra was closed before it had an answer.')),
        () => undefined,
      );
  });
}

/**
 * Ends when the person has closed the window.
 * @throws the signal's reason when it comes first
 */
export async function whenClosed(popup: Window, signal: AbortSignal): Promise<void> {
  while (!popup.closed) {
    await pause(LOOK_EVERY_MS, signal);
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  signal.throwIfAborted();
}
