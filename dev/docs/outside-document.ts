import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { formatChallenge } from '../../src/challenge/www-authenticate.ts';
import { EXIT, run } from '../../src/cli.ts';
import { MCP_SERVER_KEYS, MCP_TOOL_KEYS } from '../../src/contract/document/mcp-server-faults.ts';
import { DOCUMENTATION_PATH, OWN_PATHS } from '../../src/contract/own-paths.ts';
import { EXTENSIONS } from '../../src/contract/operations/extensions.ts';
import { ENDPOINT_PATHS } from '../../src/authorization-service/endpoints.ts';
import { codeOf, FAILURES, GatewayError, type Failure } from '../../src/failures.ts';
import { toProblem } from '../../src/http/problem.ts';
import { deriveEntry } from '../../src/redis/seal.ts';
import { EVENTS } from '../../src/telemetry/events.ts';
import { readCodeRows, readTable, wordsOf } from './documented-tables.ts';
import { listRequestMembers } from './request-line.ts';

const HEAD = `# The outside of the gateway: every name that somebody else may rely on.
#
# Made by \`npm run docs\` from the tables of the program and of docs/, which tests compare with each other; a test
# compares this file. What its lines promise stands in docs/operate/upgrades.md:
#
#   a line more              a minor version
#   a line less, or changed  a major version (below 1.0.0 a minor one), and a line of CHANGELOG.md that says what to do
`;

/** Every fact that a failure can have for its caller. */
const ALL_FACTS = {
  claims: '{}',
  suberror: 'a',
  scopes: ['a'],
  consentUri: 'a',
  errors: [{ detail: 'a', in: 'a', name: 'a', pointer: 'a' }],
};

/** Writes the list of everything that is promised, one name a line. */
export async function makeOutsideDocument(): Promise<string> {
  const sections: readonly [title: string, lines: readonly string[]][] = [
    ['Keys of gateway.yaml, with their defaults', listKeys()],
    ['Extensions of the contract', listExtensions()],
    ['Commands and options', await listCommands()],
    ['Exit codes', Object.entries(EXIT).map(([name, code]) => `${code} ${name}`)],
    ['Variables of the environment', readTable('variable', 'what it does').flatMap(([cell]) => wordsOf(cell))],
    ['Paths of the gateway', listPaths()],
    ['Codes of problems: code, status, error of the challenge', listCodes()],
    ['Members of a problem', listProblemMembers()],
    ['The challenge', listChallenge()],
    ['Metrics: name, type, labels', listMetrics()],
    ['Members of the line of a request', await listRequestMembers()],
    ['Events: name, level, members', listEvents()],
    ['Entries in Redis', listRedis()],
    ['The package: Node, entry points, exports', listPackage()],
  ];
  return `${HEAD}${sections.map(([title, lines]) => `\n== ${title}\n\n${lines.join('\n')}\n`).join('')}`;
}

function listKeys(): string[] {
  return readCodeRows('configuration.md').map(([key, byDefault = '']) => `${wordsOf(key)[0]}  ${byDefault}`.trimEnd());
}

function listExtensions(): string[] {
  return Object.values<{ readonly key: string; readonly member?: string; readonly places: readonly string[] }>(
    EXTENSIONS,
  )
    .map(({ key, member, places }) => `${member === undefined ? key : `${key}.${member}`}  at ${places.join(', ')}`)
    .concat(
      MCP_SERVER_KEYS.map((key) => `x-mcp-server.${key}`),
      MCP_TOOL_KEYS.map((key) => `x-mcp-server.tools.{name}.${key}`),
    );
}

async function listCommands(): Promise<string[]> {
  const lines: string[] = [];
  const keep = (line: string): void => void lines.push(line);
  await run(['--help'], {
    env: {},
    writeOut: keep,
    writeError: keep,
    untilStopped: () => Promise.resolve(),
    onHangUp: () => {},
  });
  const words = lines.join('\n').matchAll(/^ +obo-gateway (\S+)|(--[a-z][a-z-]*)/gm);
  return [...new Set([...words].flatMap(([, command, option]) => command ?? option ?? []))].toSorted();
}

function listPaths(): string[] {
  const management = readTable('path', 'what it says').flatMap(([cell]) => wordsOf(cell));
  return [
    ...[...Object.values(OWN_PATHS), `${OWN_PATHS.metadata}{path of an MCP server}`, DOCUMENTATION_PATH].map(
      (path) => `${path}  (server.port)`,
    ),
    ...management.map((path) => `${path}  (server.management.port)`),
    ...ENDPOINT_PATHS.map((path) => `${path}  (authorizationService.port)`),
  ];
}

function listCodes(): string[] {
  const rows = (Object.keys(FAILURES) as Failure[]).map((failure) => {
    const { rule } = new GatewayError(failure);
    const challenge = rule.challenge === undefined ? '' : `  ${rule.challenge ?? 'a challenge without an error'}`;
    return `${codeOf(failure)}  ${rule.status}${challenge}`;
  });
  // Several failures may have one code and one status.
  return [...new Set(rows)].toSorted();
}

function listProblemMembers(): string[] {
  const problem = toProblem(new GatewayError('insufficient_claims', ALL_FACTS), { instance: '/', requestId: 'a' });
  const faults = Object.keys(problem.errors?.[0] ?? {}).map((name) => `errors[].${name}`);
  return [...Object.keys(problem), ...faults, `type is ${problem.type.replace(problem.code, '{code}')}`];
}

/** The header's own form: the order and the characters of its parameters are what simple clients rely on. */
function listChallenge(): string[] {
  const frame = { authorizationUri: '{uri}', clientId: '{id}', resourceMetadata: '{uri}' };
  const { claims } = ALL_FACTS;
  return [formatChallenge(frame, { error: '{error}', scopes: ['{scopes}'], authContext: true, claims })];
}

function listMetrics(): string[] {
  const rows = readTable('metric', 'type', 'labels').map(([name, type, labels]) =>
    `${wordsOf(name)[0]}  ${type}  ${wordsOf(labels).join(', ')}`.trimEnd(),
  );
  return rows.toSorted();
}

function listEvents(): string[] {
  return Object.entries(EVENTS).map(([name, { level, fields }]) => `${name}  ${level}  ${fields.join(', ')}`.trimEnd());
}

/** What two versions must have in common to share their entries: the form of the value, and how its name is derived. */
function listRedis(): string[] {
  const context = { clientId: 'client', authority: 'authority', downstream: 'downstream', scopes: ['scope'] };
  const entry = deriveEntry('assertion', context);
  const digest = createHash('sha256').update(`${entry.tokenKey} ${entry.lockKey}`).digest('hex').slice(0, 16);
  return [`value of version ${entry.seal('')[0]}`, `names ${entry.tokenKey.slice(0, 4)}… of derivation ${digest}`];
}

function listPackage(): string[] {
  const { engines, exports } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    engines: Readonly<Record<string, string>>;
    exports: Readonly<Record<string, string>>;
  };
  const entries = Object.entries(exports).flatMap(([entry, file]) => [
    entry,
    ...(file.endsWith('.js') ? listExports(file).map((name) => `${entry}  ${name}`) : []),
  ]);
  return [`node ${engines['node']}`, ...entries];
}

/** The names that a module exports, with what they are. */
function listExports(compiled: string): string[] {
  const source = compiled.replace('./dist/', '../../src/').replace(/\.js$/, '.ts');
  const text = readFileSync(new URL(source, import.meta.url), 'utf8');
  const declared = [...text.matchAll(/^export (?:async )?(function|class|const|interface|type) (\w+)/gm)];
  const passedOn = [...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, names = '']) => names.split(','));
  return [
    ...declared.map(([, kind, name]) => `${kind} ${name}`),
    ...passedOn.map((name) => name.trim()).filter((name) => name !== ''),
  ].toSorted();
}
