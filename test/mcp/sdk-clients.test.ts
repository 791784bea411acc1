import { readFileSync } from 'node:fs';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { findFreePort } from '../../dev/ports.ts';
import { startFacadeWorld, type FacadeWorld } from './facade/facade-world.ts';
import { answerMessages, connect, Person, type SdkVersion } from './sdk-program.ts';

const WORLDS = { facade: await start('facade'), entra: await start('entra') };
const EVERY_WORLD = Object.values(WORLDS);
afterAll(() => Promise.all(EVERY_WORLD.map((world) => world.close())));
beforeEach(() => {
  for (const world of EVERY_WORLD) {
    world.downstream.answer = answerMessages;
  }
});

/** A gateway whose clients get their tokens from the façade, or from Entra itself. */
async function start(authorizationServer: 'facade' | 'entra'): Promise<FacadeWorld> {
  const port = await findFreePort();
  return startFacadeWorld({ server: { port }, mcp: { authorizationServer } }, `http://127.0.0.1:${port}`);
}

/** What somebody does. */
interface Situation {
  readonly person?: ConstructorParameters<typeof Person>[0];
  readonly tool: 'read_file' | 'write_file' | 'sign_file';
  /** What happens after the program has connected. */
  readonly after?: (person: Person, world: FacadeWorld) => void;
}

/** What comes of it: what the tool says or why nothing came, and the sign-ins that it took. */
type Outcome = readonly [result: string, signIns: number];

/** Of each line of the SDK, with the façade and with Entra itself. */
type Outcomes = Readonly<Record<`${SdkVersion} ${keyof typeof WORLDS}`, Outcome>>;

const breakDown = (_person: Person, { downstream }: FacadeWorld): void => {
  downstream.answer = (req) => req.socket.destroy();
};

const SITUATIONS: readonly (readonly [what: string, situation: Situation, outcomes: Outcomes])[] = [
  ['has no token', { tool: 'read_file' }, everyWay(['read_file', 1])],
  [
    'has a token that is good no more',
    { tool: 'read_file', after: (person) => person.expire() },
    {
      // The older line asks for no refresh token, and so sends its user to the browser again.
      'v1 facade': ['read_file', 2],
      'v2 facade': ['read_file', 1],
      'v1 entra': ['read_file', 2],
      // It renews without a scope, which Entra refuses, and does not try anything else.
      'v2 entra': ['AADSTS900144', 1],
    },
  ],
  ['has no token with the scope of a tool', { tool: 'write_file' }, everyWay(['write_file', 2])],
  [
    'knows no claims and calls a tool with an authentication context',
    { tool: 'sign_file' },
    {
      'v1 facade': ['sign_file', 2],
      'v2 facade': ['sign_file', 2],
      'v1 entra': ['client_not_capable', 1],
      'v2 entra': ['client_not_capable', 1],
    },
  ],
  [
    'reads claims and calls a tool with an authentication context',
    { tool: 'sign_file', person: { claims: 'read' } },
    everyWay(['sign_file', 2]),
  ],
  [
    'declares cp1 though it reads no claims, and calls such a tool',
    { tool: 'sign_file', person: { claims: 'declared' } },
    {
      // It would sign its user in as often as it is called.
      'v1 facade': ['UnauthorizedError', 3],
      'v1 entra': ['UnauthorizedError', 3],
      // What it renews has no cp1, and so it is asked for a scope.
      'v2 facade': ['sign_file', 2],
      'v2 entra': ['AADSTS900144', 1],
    },
  ],
  [
    'belongs to somebody who has not consented to what the gateway calls',
    { tool: 'read_file', person: { user: 'newcomer' } },
    everyWay(['consent_required', 1]),
  ],
  [
    'calls a server that does not answer',
    { tool: 'read_file', after: breakDown },
    everyWay(['downstream_unreachable', 1]),
  ],
];

/** In the order of the table in docs/mcp.md. */
const WAYS = ['v1 facade', 'v2 facade', 'v1 entra', 'v2 entra'] as const;

function everyWay(outcome: Outcome): Outcomes {
  return { 'v1 facade': outcome, 'v2 facade': outcome, 'v1 entra': outcome, 'v2 entra': outcome };
}

describe.each(SITUATIONS)('a program of the official SDK that %s', (_what, situation, outcomes) => {
  it.each(Object.entries(outcomes))('with %s: %j', async (way, outcome) => {
    const [version, world] = way.split(' ') as [SdkVersion, keyof typeof WORLDS];
    expect(await play(version, WORLDS[world], situation)).toEqual(outcome);
  });
});

it('docs/mcp.md says what comes of each', () => {
  const document = readFileSync(new URL('../../docs/mcp.md', import.meta.url), 'utf8');
  const [, table = ''] = document.split('| a program of the official SDK that …');
  const rows = table.split('\n\n', 1).flatMap((lines) => lines.split('\n').slice(2));
  const told = rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  const expected = SITUATIONS.map(([what, { tool }, outcomes]) => [
    what,
    ...WAYS.map((way) => outcomes[way].join(', ').replace(tool, 'works')),
  ]);
  expect(told).toEqual(expected);
});

async function play(version: SdkVersion, world: FacadeWorld, situation: Situation): Promise<Outcome> {
  const person = new Person(situation.person);
  const result = await call(version, world, person, situation).catch(nameFailure);
  return [result, person.visits.length];
}

async function call(
  version: SdkVersion,
  world: FacadeWorld,
  person: Person,
  { tool, after }: Situation,
): Promise<string> {
  const program = await connect(version, world.resource, person);
  after?.(person, world);
  try {
    return await program.callTool(tool);
  } finally {
    await program.close();
  }
}

/** The code of the gateway's problem document or of Entra, else the kind of the error. */
function nameFailure(error: unknown): string {
  const { name, message, constructor } = error as Error;
  const [code] = /(?<="code":")\w+|AADSTS\d+/.exec(message) ?? [];
  return code ?? (name === 'Error' ? constructor.name : name);
}
