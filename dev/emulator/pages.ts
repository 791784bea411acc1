import type { NextStep } from './interaction.ts';
import type { App } from './world-model.ts';

const STYLE = `
  :root { color-scheme: light dark; --text: #1b1b1b; --muted: #555; --ground: #fff; --button: #f4f6f8;
    --accent: #0b5cad; --on-accent: #fff }
  @media (prefers-color-scheme: dark) { :root { --text: #e7eaed; --muted: #a3abb3; --ground: #15181b; --button: #262b30;
    --accent: #7ab6f5; --on-accent: #0b1a29 } }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 26rem; margin: 4rem auto; padding: 0 1rem;
    background: var(--ground); color: var(--text) }
  h1 { font-size: 1.4rem } small { color: var(--muted) } form { display: grid; gap: .6rem }
  button, input { font: inherit; padding: .6rem .9rem; border: 1px solid #888; border-radius: 4px; text-align: left;
    background: var(--button); color: inherit; cursor: pointer } input { background: var(--ground); cursor: text }
  button.go { background: var(--accent); color: var(--on-accent); border-color: var(--accent) }`;

const CONSENT_BUTTONS = [button('consent', 'granted', 'Accept', 'go'), button('consent', 'denied', 'Cancel')];

/** Values of hidden fields by name. */
export type HiddenFields = Readonly<Record<string, string | undefined>>;

/** Makes text safe inside HTML. */
function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** A page with a headline and paragraphs of plain text. */
export function messagePage(title: string, ...paragraphs: readonly string[]): string {
  return layOut(title, paragraphs.map((text) => `<p>${escapeHtml(text)}</p>`).join(''));
}

/** The page of one step of a sign-in; its form goes back to the address it came from. */
export function interactionPage(step: Exclude<NextStep, { page: 'done' }>, client: App, hidden: HiddenFields): string {
  if (step.page === 'chooseUser') {
    const people = step.users.map(({ alias, name, userPrincipalName }) =>
      button('user', alias, `${name} (${userPrincipalName})`),
    );
    return formPage('Who are you?', `Sign in to ${client.name}.`, hidden, people);
  }
  if (step.page === 'approveMfa') {
    return formPage('Approve the sign-in', `${step.user.name}, confirm on your phone that it is you.`, hidden, [
      button('mfa', 'approved', 'Approve', 'go'),
      button('cancel', '1', 'Cancel'),
    ]);
  }
  return formPage('Permissions', `${client.name} wants: ${step.scopes.join(', ')}.`, hidden, CONSENT_BUTTONS);
}

/** The page where a person types the code that a device shows. */
export function deviceCodePage(userCode: string): string {
  return formPage('Enter the code', 'It stands on your device.', {}, [
    `<input name="user_code" value="${escapeHtml(userCode)}" autofocus autocomplete="off">`,
    button('next', '1', 'Next', 'go'),
  ]);
}

/** The page where an administrator agrees for everybody. */
export function adminConsentPage(client: App, scopes: readonly string[]): string {
  return formPage('Permissions for everybody', `${client.name} wants: ${scopes.join(', ')}.`, {}, CONSENT_BUTTONS);
}

/** A page that posts the answer of an authorization request to the client (`form_post`). */
export function formPostPage(redirectUri: string, answer: URLSearchParams): string {
  const inputs = [...answer].map(([name, value]) => hiddenInput(name, value)).join('');
  return layOut(
    'Signing in',
    `<form method="post" action="${escapeHtml(redirectUri)}">${inputs}<button class="go">Continue</button></form>` +
      '<script>document.forms[0].submit()</script>',
  );
}

function formPage(title: string, text: string, hidden: HiddenFields, controls: readonly string[]): string {
  const inputs = Object.entries(hidden).map(([name, value]) => (value === undefined ? '' : hiddenInput(name, value)));
  return layOut(title, `<p>${escapeHtml(text)}</p><form method="post">${inputs.join('')}${controls.join('')}</form>`);
}

function button(name: string, value: string, label: string, look = ''): string {
  const kind = look && ` class="${look}"`;
  return `<button${kind} name="${name}" value="${escapeHtml(value)}">${escapeHtml(label)}</button>`;
}

function hiddenInput(name: string, value: string): string {
  return `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`;
}

function layOut(title: string, body: string): string {
  return (
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escapeHtml(title)}</title><link rel="icon" href="data:,">` +
    `<meta name="viewport" content="width=device-width"><style>${STYLE}</style>` +
    `<h1>${escapeHtml(title)}</h1>${body}<p><small>Microsoft Entra emulator: no password is asked.</small></p></html>`
  );
}
