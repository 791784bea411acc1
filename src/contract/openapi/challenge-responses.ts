import { isJsonObject, type JsonObject } from '../../syntax/json.ts';
import { dereference } from './references.ts';
import { nameUniquely } from './component-names.ts';

const TEXT = { type: 'string' };

/** What every refusal is (RFC 9457). */
const PROBLEM = {
  type: 'object',
  description: 'A problem document (RFC 9457); `code` is the word to decide by.',
  required: ['type', 'title', 'status', 'detail', 'instance', 'code', 'requestId'],
  properties: {
    type: TEXT,
    title: TEXT,
    status: { type: 'integer' },
    detail: TEXT,
    instance: TEXT,
    code: TEXT,
    requestId: TEXT,
    claims: { type: 'string', description: 'The claims request to send to Entra, as JSON text.' },
    suberror: { type: 'string', description: 'What Entra says of the interaction that it asks for.' },
    scopes: { type: 'array', items: TEXT, description: 'The permissions that consent is missing for.' },
    consentUri: { type: 'string', description: 'Where consent can be given.' },
  },
};

const CHALLENGE = {
  description: 'What the client must do: one Bearer challenge (RFC 6750 §3), with `claims` where Entra asks for more.',
  schema: TEXT,
};

const DESCRIPTIONS = {
  '401': 'The access token is missing or not valid, or Entra asks for more; the challenge says what to do.',
  '403': 'The access token does not permit this operation; the challenge says what is missing.',
} as const;

/** A status with which the gateway itself refuses a token. */
export type ChallengeStatus = keyof typeof DESCRIPTIONS;

/** The answers to a token that will not do, as components of a document. */
export class ChallengeResponses {
  readonly #root: JsonObject;
  readonly #header: string;
  readonly #names: Readonly<Record<ChallengeStatus, string>>;
  readonly #problem: string;
  /** The responses that some operation refers to. */
  readonly #used = new Set<ChallengeStatus>();
  #refersToHeader = false;

  constructor(root: JsonObject) {
    this.#root = root;
    const { schemas, headers, responses } = sectionsOf(root);
    this.#problem = nameUniquely('GatewayProblem', schemas);
    this.#header = nameUniquely('GatewayChallenge', headers);
    this.#names = {
      '401': nameUniquely('GatewayUnauthorized', responses),
      '403': nameUniquely('GatewayForbidden', responses),
    };
  }

  /** The responses of an operation with those that the gateway gives; what is declared stays, with the challenge. */
  addTo(declared: unknown, statuses: readonly ChallengeStatus[]): JsonObject {
    const responses = isJsonObject(declared) ? declared : {};
    const added = statuses.map((status) => [status, this.#describe(responses[status], status)] as const);
    return { ...responses, ...Object.fromEntries(added) };
  }

  #describe(declared: unknown, status: ChallengeStatus): unknown {
    if (!isJsonObject(declared)) {
      this.#used.add(status);
      return { $ref: `#/components/responses/${this.#names[status]}` };
    }
    const { value } = dereference(this.#root, { value: declared, pointer: '' });
    const headers = isJsonObject(value['headers']) ? value['headers'] : {};
    const isThere = Object.keys(headers).some((name) => name.toLowerCase() === 'www-authenticate');
    return isThere ? declared : { ...value, headers: { ...headers, 'WWW-Authenticate': this.#refer() } };
  }

  #refer(): JsonObject {
    this.#refersToHeader = true;
    return { $ref: `#/components/headers/${this.#header}` };
  }

  /** The components of the document with those that the responses refer to. */
  get components(): JsonObject {
    const { components } = this.#root;
    const { schemas, headers, responses } = sectionsOf(this.#root);
    const added = [...this.#used].toSorted().map((status) => [this.#names[status], this.#write(status)]);
    return {
      ...(isJsonObject(components) ? components : {}),
      ...(added.length > 0 && {
        responses: { ...responses, ...(Object.fromEntries(added) as JsonObject) },
        schemas: { ...schemas, [this.#problem]: PROBLEM },
      }),
      ...(this.#refersToHeader && { headers: { ...headers, [this.#header]: CHALLENGE } }),
    };
  }

  #write(status: ChallengeStatus): JsonObject {
    return {
      description: DESCRIPTIONS[status],
      headers: { 'WWW-Authenticate': this.#refer() },
      content: { 'application/problem+json': { schema: { $ref: `#/components/schemas/${this.#problem}` } } },
    };
  }
}

function sectionsOf({ components }: JsonObject): Readonly<Record<'schemas' | 'headers' | 'responses', JsonObject>> {
  const known = isJsonObject(components) ? components : {};
  const section = (name: string): JsonObject => (isJsonObject(known[name]) ? known[name] : {});
  return { schemas: section('schemas'), headers: section('headers'), responses: section('responses') };
}
