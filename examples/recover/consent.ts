import { acquireToken, callApi, type Session } from './msal-node.ts';
import { findNextStep } from './next-step.ts';

/** Shows a consent page to the user; ends when the user is back. */
export type ShowConsent = (uri: string) => Promise<void>;

/** Calls the API; when consent is missing, lets the user give it and calls again. */
export async function callWithConsent(session: Session, show: ShowConsent, url: string): Promise<Response> {
  const response = await callApi(session, url);
  const step = await findNextStep(response);
  if (step.do !== 'consent') return response;
  await show(step.uri);
  // The gateway remembers a refusal for up to a minute, but only for the token that met it.
  await acquireToken(session, { forceRefresh: true });
  return callApi(session, url);
}
