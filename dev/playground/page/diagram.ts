import { readClaims } from '../../../examples/recover/next-step.ts';
import type { Party } from '../hop.ts';
import { element, unseen, type Content } from './element.ts';
import type { Call, CallAnswer, Entry, HopTree, Journey } from './journey.ts';
import { toneOf } from './tone.ts';

/** How a sentence names each party. */
const NAMES: Readonly<Record<Party, string>> = {
  client: 'the client',
  engine: 'the engine',
  gateway: 'the gateway',
  mailbox: 'the mailbox',
  entra: 'Entra',
  graph: 'Graph',
  orders: 'Orders',
};

/** Draws the journey as a list of hops; those that are made for another one stand within it. */
export function drawDiagram(list: HTMLOListElement, journey: Journey): void {
  const { parties } = journey;
  // These have lanes of their own, where they have a part in the journey.
  for (const party of ['engine', 'mailbox'] as const) {
    list.closest('.journey')?.toggleAttribute(`data-${party}`, parties.includes(party));
  }
  list.replaceChildren(...journey.entries.flatMap((entry) => drawEntry(journey, entry)));
  for (const line of list.querySelectorAll<HTMLLIElement>('li[data-hop]')) {
    placeInLanes(line, parties);
  }
}

function drawEntry(journey: Journey, entry: Entry): HTMLLIElement[] {
  switch (entry.kind) {
    case 'heading':
      return [element('li', { class: 'heading' }, element('h3', {}, entry.text))];
    case 'visit':
      return journey.hopsOfVisit(entry).map((hop) => drawTree({ hop, within: [], outcome: '' }));
    case 'proxied':
      return [journey.treeOfProxiedRequest(entry) ?? []].flat().map(drawTree);
    case 'call':
      return [drawCall(journey, entry)];
  }
}

function drawTree({ hop, within, outcome }: HopTree): HTMLLIElement {
  const { from, to, status, ms, refusal, challenge, method } = hop;
  const line: Line = { from, to, number: String(hop.number), status: String(status) };
  return drawLine(line, [
    drawRequest(line, { method, path: shortenPath(hop.path), about: shortenScopes(hop.about) }),
    ...drawWithin(within),
    drawAnswer(line, { status, ms, refusal, challenge }, outcome),
  ]);
}

function drawCall(journey: Journey, call: Call): HTMLLIElement {
  const told = journey.hopOfCall(call);
  const { through, answer, method, path, about } = call;
  const number = told === undefined ? 'pending' : String(told.number);
  const line: Line = { from: 'client', to: through, number, status: String(answer?.status ?? '') };
  return drawLine(line, [
    drawRequest(line, { method, path: shortenPath(path), about }),
    ...drawWithin(journey.treesWithin(call)),
    answer === undefined
      ? drawWaiting()
      : drawAnswer(line, answer, answer.refusal === undefined ? (told?.about ?? '') : ''),
  ]);
}

function drawWithin(trees: readonly HopTree[]): HTMLElement[] {
  return trees.length === 0 ? [] : [element('ol', {}, ...trees.map(drawTree))];
}

/** The two ends of a hop, and what tests and styles find it by. */
interface Line {
  readonly from: Party;
  readonly to: Party;
  readonly number: string;
  readonly status: string;
}

function drawLine({ from, to, number, status }: Line, content: readonly HTMLElement[]): HTMLLIElement {
  const attributes = { 'data-hop': number, 'data-from': from, 'data-to': to, 'data-status': status };
  return element('li', attributes, ...content);
}

function placeInLanes({ dataset, style }: HTMLLIElement, parties: readonly Party[]): void {
  const [from = 0, to = 0] = [dataset['from'], dataset['to']].map((name) => parties.findIndex((one) => one === name));
  style.setProperty('--left', String(Math.min(from, to)));
  style.setProperty('--span', String(Math.abs(to - from)));
}

interface RequestText {
  readonly method: string;
  readonly path: string;
  readonly about: string;
}

function drawRequest({ from, to }: Line, { method, path, about }: RequestText): HTMLElement {
  return drawMessage('request', [
    unseen(`${capitalise(NAMES[from])} asks ${NAMES[to]}: `),
    element('code', {}, element('b', {}, method), ` ${path}`),
    ...(about === '' ? [] : [' ', element('span', { class: 'about' }, about)]),
  ]);
}

function drawAnswer({ from, to }: Line, answer: CallAnswer, about: string): HTMLElement {
  const { status, ms, refusal, challenge } = answer;
  const hasClaims = readClaims(challenge ?? null) !== undefined;
  const notes = [hasClaims ? 'with claims' : '', about, formatTime(ms)].filter(Boolean).join(', ');
  const message = drawMessage('reply', [
    unseen(`${capitalise(NAMES[to])} answers ${NAMES[from]}: `),
    element('strong', {}, status === 0 ? 'no answer' : String(status)),
    ...(refusal === undefined ? [] : [' ', element('code', {}, refusal)]),
    ' ',
    element('span', { class: 'about' }, notes),
  ]);
  message.dataset['tone'] = toneOf(status, refusal);
  return message;
}

/** A sentence above its arrow. */
function drawMessage(kind: 'request' | 'reply', sentence: readonly Content[]): HTMLElement {
  return element(
    'div',
    { class: `message ${kind}` },
    element('p', {}, element('span', {}, ...sentence)),
    element('div', { class: 'arrow', 'aria-hidden': 'true' }),
  );
}

function drawWaiting(): HTMLElement {
  return element('div', { class: 'message waiting' }, element('p', {}, element('span', {}, 'waiting for the answer')));
}

function formatTime(ms: number): string {
  return ms < 1 ? '< 1 ms' : ms < 10_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1000)} s`;
}

const GUID = /([\da-f]{8})-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/gi;
const MAX_PATH_LENGTH = 90;

/** The beginning of a GUID tells it from others, and of a long path what it is. */
function shortenPath(path: string): string {
  const short = path.replaceAll(GUID, '$1…');
  return short.length > MAX_PATH_LENGTH ? `${short.slice(0, MAX_PATH_LENGTH)}…` : short;
}

const RESOURCE = /(?:api|https):\/\/\S+\/(?=[A-Z])/g;
const OPENID_SCOPES = / (?:openid|profile|email|offline_access)\b/g;

/** `Orders.Read` instead of `api://…/Orders.Read openid profile`. */
function shortenScopes(about: string): string {
  return about.replaceAll(RESOURCE, '').replaceAll(OPENID_SCOPES, '');
}

function capitalise(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
