import type { DownstreamRequest } from '../demo-apis/demo-api.ts';
import type { EntraRequest } from '../emulator/emulator.ts';
import type { Exchange } from '../emulator/exchange.ts';
import { findUser } from '../emulator/world-model.ts';
import { GATEWAY_CLIENT_ID, MAILBOX_APP_ID, MCP_CLIENT_ID } from '../emulator/world.ts';
import { findCarrier } from '../playground/describe-hop.ts';
import type { DemoWorld } from '../world.ts';

/** One thing that the tour promised, and whether it came out so. */
interface Check {
  readonly what: string;
  readonly ok: boolean;
}

/** Tells what happens, hop by hop, and keeps count of what came out as told. */
export class Narrator {
  readonly #world: DemoWorld;
  readonly #print: (line: string) => void;
  readonly #checks: Check[] = [];
  #hops = 0;

  /** Makes a narrator who listens to every server of the world; default print: the terminal. */
  constructor(world: DemoWorld, print: (line: string) => void = console.log) {
    this.#world = world;
    this.#print = print;
    world.emulator.onRequest((request) => {
      this.#tellEntraHop(request);
    });
    world.graph.onRequest((request) => {
      this.#tellDownstreamHop('Graph', request);
    });
    world.orders.onRequest((request) => {
      this.#tellDownstreamHop('Orders', request);
    });
    world.mailbox.onRequest((request) => {
      this.#tellDownstreamHop('mailbox', request);
    });
    world.engine.onQuestion(({ endpoint, status }) => {
      this.hop('engine', 'gateway', `${status}  ${endpoint}`);
    });
  }

  /** Opens a chapter. */
  chapter(title: string): void {
    this.#print(`\n${title}`);
  }

  /** Tells one hop. */
  hop(from: string, to: string, what: string): void {
    this.#hops += 1;
    this.#print(`  ${from.padEnd(7)} → ${to.padEnd(7)}  ${what}`);
  }

  /** Tells a thought of the client's. */
  note(text: string): void {
    this.#print(`${' '.repeat(21)}${text}`);
  }

  /** Notes whether something came out as told. */
  check(what: string, ok: boolean): void {
    this.#checks.push({ what, ok });
    this.#print(`  ${ok ? '✓' : '✗'} ${what}`);
  }

  /** Sums up; true when everything came out as told. */
  summarize(): boolean {
    const failed = this.#checks.filter(({ ok }) => !ok);
    const passed = this.#checks.length - failed.length;
    this.#print(`\n${this.#hops} hops; ${passed} of ${this.#checks.length} things came out as told`);
    for (const { what } of failed) {
      this.#print(`  ✗ ${what}`);
    }
    return failed.length === 0;
  }

  #tellEntraHop({ method, path, status, userAgent, exchange }: EntraRequest): void {
    const page = path.replace(/^\/[0-9a-f-]{36}/, '');
    if (exchange) {
      this.hop(nameOf(exchange), 'Entra', `${status}  ${this.#describeExchange(exchange)}`);
    } else {
      this.hop(callerOf(page, userAgent), 'Entra', `${status}  ${method} ${page}`);
    }
  }

  #describeExchange({ grantType, scope, subject, error, errorCode }: Exchange): string {
    const grant = grantType?.split(':').at(-1) === 'jwt-bearer' ? 'on-behalf-of' : grantType;
    const person = subject === undefined ? undefined : findUser(this.#world.emulator.world, subject);
    const resource = scope?.split(' ')[0]?.replace(/^api:\/\/[0-9a-f-]{36}/, 'gateway');
    const token = resource === undefined ? 'token' : `token for ${resource}`;
    const outcome = error === undefined ? token : `AADSTS${errorCode} ${error}`;
    return [`POST /token ${grant}`, person?.name, outcome].filter(Boolean).join(', ');
  }

  #tellDownstreamHop(api: string, request: DownstreamRequest): void {
    const { method, path, status, headers, challenge } = request;
    const bearer = headers.authorization === undefined ? 'no token' : 'exchanged token';
    this.hop(
      findCarrier(request, this.#world.engine.origin),
      api,
      `${status}  ${method} ${path}, ${challenge ?? bearer}`,
    );
  }
}

/** Programs that speak MCP get their tokens by way of the gateway. */
const NAMES: Readonly<Record<string, string>> = {
  [GATEWAY_CLIENT_ID]: 'gateway',
  [MCP_CLIENT_ID]: 'gateway',
  [MAILBOX_APP_ID]: 'mailbox',
};

function nameOf({ clientId = '' }: Exchange): string {
  return NAMES[clientId] ?? 'client';
}

/** The demo APIs fetch their keys with jose, the gateway does not. */
function callerOf(page: string, userAgent = ''): string {
  if (userAgent.startsWith('jose/')) {
    return 'API';
  }
  if (page.includes('/discovery/') || page.includes('/.well-known/')) {
    return 'gateway';
  }
  return page.endsWith('/devicecode') ? 'client' : 'browser';
}
