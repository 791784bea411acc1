import type { ConfigFault } from '../failures.ts';
import { substituteEnvironment, type Environment } from './environment.ts';
import { isJsonObject } from '../syntax/json.ts';

/** Where the management listener is. */
export interface ManagementAddress {
  readonly host: string;
  readonly port: number;
}

const DEFAULT_ADDRESS: ManagementAddress = { host: '127.0.0.1', port: 9090 };

const MAX_PORT = 65_535;

/** A key at the start of a line, and the value on the same line. */
const KEY = /^([A-Za-z]\w*):(?: +(\S.*))?$/;

/** A value that means the same to any reader of YAML: a word, a reference to the environment, or a quoted text. */
const VALUE = /^(?:([A-Za-z0-9][\w.-]*)|(\$\{\w+\})|"([^"\\]*)"|'([^']*)')$/;

/** The same within braces, where a reference must be quoted. */
const FLOW = /^\{ *((?:(?:host|port): +(?:[A-Za-z0-9][\w.-]*|"[^"\\]*"|'[^']*')(?:, +| *(?=\})))*)\}$/;
const FLOW_ENTRY = /(host|port): +([A-Za-z0-9][\w.-]*|"[^"\\]*"|'[^']*')/g;

const REFERENCE = /^\$\{([A-Za-z_]\w*)\}$/;

/**
 * Finds where the management listener is in a gateway.yaml that says it the plain way, without reading the rest: the
 * health check runs every few seconds, and loading a parser for YAML and the schema costs ten times as much as asking.
 *
 * @returns `undefined` for everything else: a file that only a parser can read, or that has faults to be named
 */
export function findManagementAddress(text: string, env: Environment): ManagementAddress | undefined {
  const lines = text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => !/^ *(?:#.*)?$/.test(line));
  const server = readSection(lines, 'server');
  if (server === undefined) {
    return undefined;
  }
  if (server === 'absent') {
    return DEFAULT_ADDRESS;
  }
  const management =
    server.value === '' && server.lines.length > 0 ? readSection(server.lines, 'management') : undefined;
  if (management === undefined) {
    return undefined;
  }
  return management === 'absent' ? DEFAULT_ADDRESS : readAddress(management, env);
}

/**
 * Finds the same in a gateway.yaml that says it in another way, such as JSON or in braces: with the parser, which costs
 * much less than the schema.
 *
 * @returns `undefined` for a file that has faults to be named
 */
export async function parseManagementAddress(text: string, env: Environment): Promise<ManagementAddress | undefined> {
  try {
    const faults: ConfigFault[] = [];
    const tree = parseJson(text) ?? (await parseYaml(text)) ?? {};
    const { server = {} } = isJsonObject(tree) ? tree : { server: null };
    const { management = {} } = isJsonObject(server) ? server : { management: null };
    const address = substituteEnvironment(management, env, faults);
    return faults.length === 0 && isJsonObject(address) ? toAddress(address) : undefined;
  } catch {
    // No YAML, or an alias that cannot be followed.
    return undefined;
  }
}

/** Parses JSON, all of which is YAML, too; `undefined` for a text that is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function parseYaml(text: string): Promise<unknown> {
  const { readYaml } = await import('../syntax/read-yaml.ts');
  const reading = readYaml(text);
  if ('problem' in reading) {
    throw new Error(reading.problem);
  }
  return reading.tree;
}

function toAddress({ host = DEFAULT_ADDRESS.host, port = DEFAULT_ADDRESS.port, ...others }: Record<string, unknown>) {
  const isPort = /^[1-9]\d{0,4}$/.test(String(port)) && Number(port) <= MAX_PORT;
  return typeof host === 'string' && host !== '' && isPort && Object.keys(others).length === 0
    ? { host, port: Number(port) }
    : undefined;
}

/** What belongs to a key: the value on its line, and the lines below it. */
interface Section {
  readonly value: string;
  readonly lines: readonly string[];
}

/**
 * Finds a key of one map; what belongs to the other keys is not read.
 *
 * @returns `undefined` where only a parser can read the lines
 */
function readSection(lines: readonly string[], name: string): Section | 'absent' | undefined {
  const indent = indentOf(lines[0] ?? '');
  let found: { value: string; lines: string[] } | undefined;
  let isWithin = false;
  for (const line of lines) {
    const depth = indentOf(line);
    if (depth > indent) {
      if (isWithin) {
        found?.lines.push(line);
      }
      continue;
    }
    const key = KEY.exec(line.slice(indent));
    if (depth < indent || key === null || (key[1] === name && found !== undefined)) {
      return undefined;
    }
    isWithin = key[1] === name;
    if (isWithin) {
      found = { value: stripComment(key[2] ?? ''), lines: [] };
    }
  }
  return found ?? 'absent';
}

function readAddress({ value, lines }: Section, env: Environment): ManagementAddress | undefined {
  const entries = value === '' ? readBlock(lines) : lines.length === 0 ? readFlow(value) : undefined;
  if (entries === undefined || new Set(entries.map(([key]) => key)).size !== entries.length) {
    return undefined;
  }
  const written = new Map(entries);
  const host = written.has('host') ? readValue(written.get('host') ?? '', env) : DEFAULT_ADDRESS.host;
  const port = written.has('port') ? readValue(written.get('port') ?? '', env) : String(DEFAULT_ADDRESS.port);
  if (host === undefined || port === undefined || !isHost(host) || !/^[1-9]\d{0,4}$/.test(port)) {
    return undefined;
  }
  return Number(port) <= MAX_PORT ? { host, port: Number(port) } : undefined;
}

function readBlock(lines: readonly string[]): [string, string][] | undefined {
  const indent = indentOf(lines[0] ?? '');
  const entries: [string, string][] = [];
  for (const line of lines) {
    const key = indentOf(line) === indent ? KEY.exec(line.slice(indent)) : null;
    if (key === null || (key[1] !== 'host' && key[1] !== 'port')) {
      return undefined;
    }
    entries.push([key[1], stripComment(key[2] ?? '')]);
  }
  return entries.length > 0 ? entries : undefined;
}

function readFlow(value: string): [string, string][] | undefined {
  const entries = FLOW.exec(value)?.[1];
  return entries === undefined
    ? undefined
    : [...entries.matchAll(FLOW_ENTRY)].map(([, key = '', text = '']) => [key, text]);
}

function readValue(written: string, env: Environment): string | undefined {
  const value = VALUE.exec(written);
  if (value === null) {
    return undefined;
  }
  const [, word, reference, double, single] = value;
  const text = word ?? reference ?? double ?? single ?? '';
  const name = REFERENCE.exec(text)?.[1];
  return name === undefined ? text : env[name];
}

/** True for a name or an address that no reader of YAML takes for a number or a truth value. */
function isHost(text: string): boolean {
  return (
    /^[A-Za-z0-9:][A-Za-z0-9.:-]*$/.test(text) && Number.isNaN(Number(text)) && !/^(?:true|false|null)$/i.test(text)
  );
}

function stripComment(value: string): string {
  return value.replace(/^#.*$| +#.*$/, '').trimEnd();
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}
