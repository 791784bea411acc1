import { whenClosed } from './popup.ts';

const WINDOW = 'popup,width=500,height=640';

/**
 * Opens the page where a person gives consent; ends when they have closed it.
 *
 * @param correlationId `client-request-id` of the visit
 * @param signal closes it
 * @throws {Error} when the browser does not open it
 */
export async function showConsentPage(uri: string, correlationId: string, signal: AbortSignal): Promise<void> {
  const page = new URL(uri);
  page.searchParams.set('client-request-id', correlationId);
  const popup = window.open(page, 'consent', WINDOW);
  if (!popup) {
    throw new Error('The browser did not open the window of Entra; allow popups for this page and try again.');
  }
  try {
    await whenClosed(popup, signal);
  } finally {
    popup.close();
  }
}
