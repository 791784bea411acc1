import { readClaims } from '../../../examples/recover/next-step.ts';
import { PARTIES, type Hop, type Party } from '../hop.ts';
import { element, unseen, type Content } from './element.ts';
import type { Call, CallAnswer, Entry, Journey } from './journey.ts';
import { toneOf } from './tone.ts';

/** How a sentence names each party. */
const NAMES: Readonly<Record<Party, string>> = {
  client: 'the client',
  gateway: 'the gateway',
  entra: 'Entra',
  graph: 'Graph',
  orders: 'Orders',
};

/** Draws the journey as a list of hops; those that the gateway makes for a call stand within it. */
export function drawDiagram(list: HTMLOListElement, journey: Journey): void {
  list.replaceChildren(...journey.entries.flatMap((entry) => drawEntry(journey, entry)));
}

function drawEntry(journey: Journey, entry: Entry): HTMLLIElement[] {
  if (entry.kind === 'heading') {
    return [element('li', { class: 'heading' }, element('h3', {}, entry.text))];
  }
  if (entry.kind === 'visit') {
    return journey.hopsOfVisit(entry).map((hop) => drawHop(hop));
  }
  if (entry.kind === 'proxied') {
    const { outer, inner } = journey.hopsOfProxiedRequest(entry);
    return outer === undefined ? [] : [drawHop(outer, inner)];
  }
  return [drawCall(journey, entry)];
}

function drawHop(hop: Hop, within: readonly Hop[] = []): HTMLLIElement {
  const { from, to, status, ms, refusal, challenge, method } = hop;
  const line: Line = { from, to, number: String(hop.number), status: String(status) };
  return drawLine(line, [
    drawRequest(line, { method, path: shortenPath(hop.path), about: shortenScopes(hop.about) }),
    ...drawWithin(within),
    drawAnswer(line, { status, ms, refusal, challenge }, ''),
  ]);
}

function drawCall(journey: Journey, call: Call): HTMLLIElement {
  const told = journey.hopOfCall(call);
  const { answer, method, path, about } = call;
  const number = told === undefined ? 'pending' : String(told.number);
  const line: Line = { from: 'client', to: 'gateway', number, status: String(answer?.status ?? '') };
  return drawLine(line, [
    drawRequest(line, { method, path: shortenPath(path), about }),
    ...drawWithin(journey.hopsWithin(call)),
    answer === undefined
      ? drawWaiting()
      : drawAnswer(line, answer, answer.refusal === undefined ? (told?.about ?? '') : ''),
  ]);
}

function drawWithin(hops: readonly Hop[]): HTMLElement[] {
  return hops.length === 0 ? [] : [element('ol', {}, ...hops.map((hop) => drawHop(hop)))];
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
  const line = element('li', attributes, ...content);
  const ends = [PARTIES.indexOf(from), PARTIES.indexOf(to)];
  line.style.setProperty('--left', String(Math.min(...ends)));
  line.style.setProperty('--span', String(Math.abs((ends[1] ?? 0) - (ends[0] ?? 0))));
  return line;
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
