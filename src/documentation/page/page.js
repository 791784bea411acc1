import { adaptDocument, listScopes } from './adapt-document.js';

/**
 * What the gateway tells the page.
 *
 * @typedef {object} Settings
 * @property {string} publicUrl
 * @property {{ title: string, path: string }[]} documents
 * @property {import('./adapt-document.js').SignIn} [signIn]
 */

/** @type {Settings} */
const settings = await read('docs/settings.json');
const { documents, publicUrl, signIn } = settings;
const asked = new URL(location.href).searchParams.get('document');
const chosen = documents.find(({ path }) => path === asked) ?? documents[0];
offerChoice();
if (new URL(publicUrl).origin !== location.origin) {
  tell(`Calls go to the public address of this API, and this page is not there. Open ${publicUrl}/docs to try them.`);
}
const adapted = adaptDocument(await read(`.${chosen?.path}`), signIn);
document.title = `${adapted.info.title} · API documentation`;
const page = /** @type {any} */ (window).SwaggerUIBundle({
  spec: adapted,
  domNode: find('#swagger-ui'),
  deepLinking: true,
  // It would ask a service on the internet.
  validatorUrl: null,
  // As it is registered, wherever the page was opened.
  oauth2RedirectUrl: `${publicUrl}/docs/oauth2-redirect.html`,
  requestInterceptor: keepTokenRequestPlain,
  responseInterceptor: noteChallenge,
});
offerSignIn({});

function offerChoice() {
  const choice = /** @type {HTMLSelectElement} */ (find('#choice'));
  choice.append(...documents.map(({ title, path }) => new Option(title, path, false, path === chosen?.path)));
  choice.addEventListener('change', () => {
    location.search = new URLSearchParams({ document: choice.value }).toString();
  });
  find('header').hidden = documents.length < 2;
}

/**
 * Prepares the next sign-in.
 *
 * @param {Record<string, string>} parameters of the authorization request, besides the usual ones
 */
function offerSignIn(parameters) {
  if (signIn !== undefined) {
    page.initOAuth({
      clientId: signIn.clientId,
      scopes: listScopes(adapted),
      usePkceWithAuthorizationCodeGrant: true,
      additionalQueryStringParams: parameters,
    });
  }
}

/**
 * Swagger UI adds the parameters of the authorization request to the token request, too.
 *
 * @param {any} request
 */
function keepTokenRequestPlain(request) {
  const isTokenRequest = signIn !== undefined && request.url.startsWith(`${signIn.tokenUrl}?`);
  return isTokenRequest ? { ...request, url: signIn.tokenUrl } : request;
}

/**
 * Lets the next sign-in ask for what a claims challenge wants: its `claims` are a claims request (OpenID Connect Core
 * §5.5) in base64.
 *
 * @param {any} response
 */
function noteChallenge(response) {
  const [, claims] = /\bclaims="([A-Za-z0-9+/=]+)"/.exec(response.headers?.['www-authenticate'] ?? '') ?? [];
  if (claims !== undefined && signIn !== undefined) {
    offerSignIn({ claims: new TextDecoder().decode(Uint8Array.from(atob(claims), (byte) => byte.charCodeAt(0))) });
    tell('The API asks for a stronger sign-in. Press Authorize, log out there, authorize again, and repeat the call.');
  }
  return response;
}

/** @param {string} notice */
function tell(notice) {
  find('#notice').textContent = notice;
  find('#notice').hidden = false;
}

/** @param {string} address of JSON, seen from this page */
async function read(address) {
  const response = await fetch(address);
  if (!response.ok) {
    tell(`The gateway answered ${response.status}. Load this page again in a moment.`);
    throw new Error(`${address} is ${response.status}`);
  }
  return response.json();
}

/**
 * @param {string} selector of an element that the page has
 * @returns {HTMLElement}
 */
function find(selector) {
  return /** @type {HTMLElement} */ (document.querySelector(selector));
}
