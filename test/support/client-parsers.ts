/**
 * How the known client libraries and samples read a `WWW-Authenticate` header, each written anew after its source with
 * the same shortcuts. They are what the shape of our challenges has to please.
 */

/** One way to read the claims of a header: the decoded claims, undefined for none; some throw at what they cannot read. */
export type ClientParser = (header: string) => string | undefined;

/** The single-page app of Azure-Samples/ms-identity-javascript-react-tutorial: splits at comma and space. */
function readLikeReactSample(header: string): string | undefined {
  return decodeInBrowser(splitParameters(header, ', ').get('claims'));
}

/**
 * The snippet in Microsoft's guide to continuous access evaluation: splits at every comma.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/app-resilience-continuous-access-evaluation
 */
function readLikeGuide(header: string): string | undefined {
  return decodeInBrowser(splitParameters(header, ',').get('claims'));
}

/** `authorizeRequestOnClaimChallenge` of `@azure/core-client`: splits at the scheme and at the closing quotes. */
function readLikeCoreClient(header: string): string | undefined {
  for (const challenge of `, ${header.trim()}`.split(', Bearer ').filter((part) => part !== '')) {
    const parts = `${challenge.trim()}, `.split('", ').filter((part) => part !== '');
    const parameters = new Map(parts.map((part) => toPair(part.trim().split('="'))));
    const claims = parameters.get('claims');
    if (claims !== undefined && claims !== '') {
      return Buffer.from(claims, 'base64').toString();
    }
  }
  return undefined;
}

/** `bearerTokenAuthenticationPolicy` of `@azure/core-rest-pipeline`: two patterns, and it insists on the error. */
function readLikeRestPipeline(header: string): string | undefined {
  for (const [, scheme, text = ''] of header.matchAll(/(\w+)\s+((?:\w+=(?:"[^"]*"|[^,]*),?\s*)+)/g)) {
    const parameters = new Map([...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => toPair([name, value])));
    if (scheme === 'Bearer' && parameters.get('error') === 'insufficient_claims' && parameters.has('claims')) {
      return Buffer.from(parameters.get('claims') ?? '', 'base64').toString();
    }
  }
  return undefined;
}

/** `WwwAuthenticateParameters.GetClaimChallengeFromResponseHeaders` of MSAL.NET: splits at spaces outside quotes. */
function readLikeMsalNet(header: string): string | undefined {
  const [scheme = '', ...words] = splitOutsideQuotes(header, ' ');
  if (scheme.toLowerCase() !== 'bearer') {
    return undefined;
  }
  const parameters = new Map<string, string>();
  for (const word of words) {
    const [name = '', value] = splitOutsideQuotes(word.replace(/[, ]+$/, ''), '=').map(unquote);
    if (value === undefined || parameters.has(name.toLowerCase())) {
      throw new Error(`MSAL.NET cannot read the parameter ${name}`);
    }
    parameters.set(name.toLowerCase(), value);
  }
  const claims = parameters.get('claims');
  const asksForClaims = parameters.get('error')?.toLowerCase() === 'insufficient_claims';
  return claims !== undefined && asksForClaims ? decodeStrictly(claims) : undefined;
}

/** The Objective-C snippet of the same guide: one pattern for names and quoted values. */
function readLikeObjC(header: string): string | undefined {
  const found = [...header.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => toPair([name, value]));
  const claims = new Map(found).get('claims');
  return claims === undefined ? undefined : Buffer.from(claims, 'base64').toString();
}

/** All of them by name. */
export const CLIENT_PARSERS: readonly (readonly [name: string, parse: ClientParser])[] = [
  ['the React sample', readLikeReactSample],
  ['the guide’s JavaScript', readLikeGuide],
  ['@azure/core-client', readLikeCoreClient],
  ['@azure/core-rest-pipeline', readLikeRestPipeline],
  ['MSAL.NET', readLikeMsalNet],
  ['the guide’s Objective-C', readLikeObjC],
];

/** Throws where a part has no `=`, or is no good percent encoding, as the originals do. */
function splitParameters(header: string, separator: string): Map<string, string> {
  const parts = header.slice(header.indexOf(' ') + 1).split(separator);
  return new Map(
    parts.map((part) => {
      const [name = '', value] = part.split('=');
      if (value === undefined) {
        throw new TypeError('undefined has no replace()');
      }
      return [name.trim(), decodeURI(value.replaceAll(/['"]+/g, ''))];
    }),
  );
}

/** Good for ASCII only, like the claims of Entra. */
function decodeInBrowser(claims: string | undefined): string | undefined {
  return claims === undefined ? undefined : atob(claims);
}

function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts = [''];
  let isQuoted = false;
  for (const character of text) {
    isQuoted = character === '"' ? !isQuoted : isQuoted;
    if (character === separator && !isQuoted) {
      parts.push('');
    } else {
      parts.push(`${parts.pop() ?? ''}${character}`);
    }
  }
  return parts.filter((part) => part !== '');
}

/** What is no standard base64 with padding is taken for the claims themselves. */
function decodeStrictly(claims: string): string {
  const isBase64 = claims.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(claims);
  return isBase64 ? Buffer.from(claims, 'base64').toString() : claims;
}

function unquote(text: string): string {
  return text.trim().replaceAll(/^"|"$/g, '');
}

function toPair([name = '', value = '']: readonly (string | undefined)[]): readonly [string, string] {
  return [name, value];
}
