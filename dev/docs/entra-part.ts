import { ENTRA_CODES, ERRORS, REMEDIES, SUBERRORS, type RefusalClass } from '../../src/exchange/entra-codes.ts';
import { answerRefusal } from './example-answers.ts';
import { code, linkTo, table } from './markdown.ts';

interface ClassGuide {
  readonly title: string;
  readonly meaning: string;
}

const CLASSES = {
  interaction: {
    title: 'interaction: a proof is missing (CH)',
    meaning: 'The user can give it at the screen: MFA, a device, terms of use.',
  },
  reauthenticate: {
    title: 'reauthenticate: the sign-in is no longer good (RE)',
    meaning: 'A new sign-in, or only a new token, helps.',
  },
  consent: { title: 'consent: consent is missing (CO)', meaning: 'The user or an administrator has to consent once.' },
  denied: { title: 'denied: denied for good (DE)', meaning: 'Nothing that the user does at the screen helps.' },
  misconfigured: {
    title: 'misconfigured: the gateway is set up wrongly (CF)',
    meaning: 'Its registration, its credential or the scopes of a downstream; no user is at fault.',
  },
  retry: { title: 'retry: try again later (RT)', meaning: 'Entra is busy, down or slow.' },
} as const satisfies Record<RefusalClass, ClassGuide>;

const CLAIMS = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';
const UNKNOWN = 99_999_999;

/** Answers of Entra that show the order of the decision; each says what is new in it. */
const DECISIONS: readonly (readonly [string, number, object])[] = [
  ['status 429 or 5xx, whatever the body', 503, { error: 'invalid_grant', error_codes: [50076] }],
  ['no `error`: an empty object, or what is not JSON', 200, {}],
  ['`claims`, whatever else', 400, { error: 'invalid_grant', suberror: 'bad_token', claims: CLAIMS }],
  [
    'a known suberror, such as `message_only`, whatever the code',
    400,
    { error: 'invalid_grant', suberror: 'message_only', error_codes: [50076] },
  ],
  [
    'a code that is known with this very `error`, such as AADSTS50027 with `invalid_request`',
    400,
    { error: 'invalid_request', error_codes: [50027] },
  ],
  [
    'an `error` that decides by itself, such as `invalid_client`',
    400,
    { error: 'invalid_client', error_codes: [UNKNOWN] },
  ],
  ['a known code, such as AADSTS65001', 400, { error: 'invalid_grant', error_codes: [65001] }],
  [
    '`invalid_grant` or `interaction_required` with an unknown code',
    400,
    { error: 'interaction_required', error_codes: [UNKNOWN] },
  ],
  ['any other `error` with an unknown code', 400, { error: 'unheard_of', error_codes: [UNKNOWN] }],
];

/** The part of docs/answers.md about Entra: how its refusals are read, and the tables of codes by class. */
export function describeEntra(): string {
  return [
    '## What Entra says, and what the caller gets',
    `When Entra refuses an exchange, the gateway decides in this order; the first line that fits wins. Texts of Entra are
never looked at, because Microsoft changes them, and never shown to callers. The log has the codes, what they mean and
Entra's trace id.`,
    table(
      ['Entra answers', 'the caller gets'],
      DECISIONS.map(([what, status, body]) => [what, describeAnswer(status, body)]),
    ),
    ...(Object.keys(CLASSES) as RefusalClass[]).map(describeClass),
  ].join('\n\n');
}

function describeAnswer(status: number, body: object): string {
  const refusal = answerRefusal(status, body);
  return `${refusal.rule.status} ${linkTo(refusal.code)}`;
}

function describeClass(name: RefusalClass): string {
  const { title, meaning } = CLASSES[name];
  return [
    `### ${title}`,
    meaning,
    `**Caller:** ${describeCaller(name)}`,
    `**Operator:** ${REMEDIES[name]}`,
    ...namesOf(name, 'Suberrors', SUBERRORS),
    ...namesOf(name, 'Errors', ERRORS),
    table(
      ['code', 'meaning'],
      [...ENTRA_CODES]
        .filter(([, row]) => row.class === name)
        .toSorted(([one], [other]) => one - other)
        .map(([number, { meaning: text, errors }]) => [
          `AADSTS${number}`,
          errors === undefined ? text : `${text} (with ${errors.map(code).join(' or ')})`,
        ]),
    ),
  ].join('\n\n');
}

/** Made by the decision itself, from a code of the class. */
function describeCaller(name: RefusalClass): string {
  const [number] = [...ENTRA_CODES].find(([, row]) => row.class === name) ?? [];
  const refusal = { error: ERROR_OF[name], error_codes: [number] };
  const plain = describeAnswer(400, refusal);
  const withClaims = describeAnswer(400, { ...refusal, claims: CLAIMS });
  return name === 'interaction' || name === 'reauthenticate' ? `${plain}; with claims, ${withClaims}.` : `${plain}.`;
}

const ERROR_OF: Readonly<Record<RefusalClass, string>> = {
  interaction: 'interaction_required',
  reauthenticate: 'invalid_grant',
  consent: 'invalid_grant',
  denied: 'invalid_grant',
  misconfigured: 'invalid_client',
  retry: 'temporarily_unavailable',
};

function namesOf(name: RefusalClass, title: string, names: ReadonlyMap<string, RefusalClass>): string[] {
  const found = [...names].filter(([, value]) => value === name).map(([word]) => code(word));
  return found.length === 0 ? [] : [`**${title}:** ${found.join(', ')}.`];
}
