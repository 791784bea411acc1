import type { CredentialSettings } from '../exchange/client-credential.ts';
import { ENTRA_CODES, REMEDIES } from '../exchange/entra-codes.ts';
import type { Refusal } from '../exchange/refusal.ts';
import { explainTrouble } from './explain-trouble.ts';
import { fail, pass, warn, type Row } from './row.ts';

interface CredentialRemedy {
  readonly codes: readonly number[];
  readonly remedy: string;
  readonly key: string;
}

const SECRET = 'identity.credential.secret';
const CERTIFICATE = 'identity.credential.certificate';
const CREDENTIAL = 'identity.credential';

/** What an operator does about the refusals of a credential. */
const CREDENTIAL_REMEDIES: readonly CredentialRemedy[] = [
  {
    codes: [7000215, 70002],
    remedy: 'use the value of a client secret of this app registration, not its id',
    key: SECRET,
  },
  {
    codes: [7000222],
    remedy: 'make a new client secret in the app registration, or better a certificate',
    key: SECRET,
  },
  {
    codes: [700027, 7000274],
    remedy: 'upload this certificate to the app registration, and let the private key be its own',
    key: CERTIFICATE,
  },
  { codes: [1000502, 7000214, 7000277], remedy: 'use a new certificate and upload it', key: CERTIFICATE },
  {
    codes: [700024],
    remedy: 'set the clock of this machine by NTP; a federated token must also be fresh',
    key: CREDENTIAL,
  },
  {
    codes: [700211],
    remedy:
      'let the issuer of the federated credential in the app registration be the `iss` of the token, letter by letter, also a slash at the end',
    key: CREDENTIAL,
  },
  {
    codes: [700212],
    remedy:
      'let the audience of the federated credential in the app registration be the `aud` of the token; each cloud has its own, such as api://AzureADTokenExchange',
    key: CREDENTIAL,
  },
  {
    codes: [700213, 7002137, 7002138],
    remedy:
      'let the subject of the federated credential in the app registration be the `sub` of the token, letter by letter, capital or small; of a managed identity it is the object id, not the client id',
    key: CREDENTIAL,
  },
  {
    codes: [70021, 700229, 7002121],
    remedy:
      'add a federated credential to the app registration whose issuer, subject and audience are those of the token, letter by letter',
    key: CREDENTIAL,
  },
  {
    codes: [700016, 700011, 70001],
    remedy: 'use the client id of an app registration of this tenant, or grant the app admin consent there',
    key: 'identity.clientId',
  },
  { codes: [7000112], remedy: 'enable the enterprise application in this tenant', key: 'identity.clientId' },
  {
    codes: [90002, 900023, 50059],
    remedy: 'use the id of an existing tenant, and the authority of its cloud',
    key: 'identity.tenant',
  },
  {
    codes: [90038, 900382, 900432],
    remedy: 'use the authority of the cloud where the tenant lives',
    key: 'identity.authority',
  },
];

/** Entra looks at the credential before it looks at what these are about. */
const AFTER_THE_CREDENTIAL: ReadonlySet<string> = new Set([
  'invalid_scope',
  'invalid_resource',
  'invalid_grant',
  'interaction_required',
  'consent_required',
  'access_denied',
]);

/** Entra knows who asks, and refuses because it is a blueprint: its agent identities get the tokens. */
const BLUEPRINT_CODES: ReadonlySet<number> = new Set([82001, 82002]);

/** True for a refusal that Entra gives only to who has proved itself. */
export function isAfterCredential({ error = '', codes }: Refusal): boolean {
  return AFTER_THE_CREDENTIAL.has(error) || codes.some((code) => BLUEPRINT_CODES.has(code));
}

const TOO_MANY_REQUESTS = 429;

/**
 * Tells what a refused request of the gateway for itself, in one tenant, says about the credential.
 *
 * @param kind the member of `identity.credential` that is there
 */
export function judgeRefusal(check: string, tenantId: string, refusal: Refusal, kind: keyof CredentialSettings): Row {
  const refused = `refused in tenant ${tenantId}: ${nameRefusal(refusal)}`;
  const cure = CREDENTIAL_REMEDIES.find(({ codes }) => codes.some((code) => refusal.codes.includes(code)));
  if (cure !== undefined) {
    const { remedy, key } = cure;
    const ownKey = key === SECRET && kind === 'secretFile' ? `${CREDENTIAL}.${kind}` : key;
    return fail(check, refused, { reason: explain(refusal), remedy, key: ownKey });
  }
  if (refusal.class === 'retry') {
    return explainNoVerdict(check, refusal);
  }
  if (isAfterCredential(refusal)) {
    return pass(check, `accepted in tenant ${tenantId}; no token for another reason: ${nameRefusal(refusal)}`);
  }
  return fail(check, refused, {
    reason: explain(refusal),
    remedy: REMEDIES.misconfigured,
    key: 'identity',
  });
}

/** Tells why a request of class `retry` says nothing. */
export function explainNoVerdict(check: string, refusal: Refusal): Row {
  const { status, error = '' } = refusal;
  if (status === 0) {
    return fail(check, `not reachable (${error})`, { ...explainTrouble(error), key: 'identity.authority' });
  }
  if (status === TOO_MANY_REQUESTS) {
    return warn(check, 'not tried: Entra throttles the gateway', {
      reason: 'too many requests came from this app registration, so exchanges fail too',
      remedy: 'wait some minutes and check again; then look for a client that loops',
    });
  }
  return fail(check, `no usable answer (status ${status})`, {
    reason: 'Entra is disturbed, or something else answers in its place',
    remedy: 'look at the service health of Entra and at proxies on the way, then check again',
  });
}

/** The codes and the OAuth error; never Entra's text. */
export function nameRefusal({ codes, error, status }: Refusal): string {
  const names = codes.map((code) => `AADSTS${code}`);
  const word = /^(msal: )?\w{1,64}$/.test(error ?? '') ? error : `status ${status}`;
  return [...names, `(${word})`].join(' ');
}

/** What the codes of a refusal mean. */
export function explain({ codes }: Refusal): string {
  const meanings = codes.flatMap((code) => ENTRA_CODES.get(code)?.meaning ?? []);
  return meanings.length > 0 ? meanings.join('; ') : 'Entra does not accept how the gateway proves itself';
}
