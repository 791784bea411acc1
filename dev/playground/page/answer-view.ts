import type { Answer, Body } from './call.ts';
import { formatClaims, readChallenge } from './challenge.ts';
import { element, find } from './element.ts';
import { nameRemedy, type Remedy, type Verdict } from './remedy.ts';
import { toneOf } from './tone.ts';

/** The part of the page that shows one answer, what it means, and the one button that does something about it. */
export class AnswerView {
  readonly #section = find('answer', HTMLElement);
  readonly #title = find('answer-title', HTMLHeadingElement);
  readonly #status = find('response-status', HTMLElement);
  readonly #code = find('problem-code', HTMLElement);
  readonly #meaning = find('meaning', HTMLElement);
  readonly #button = find('satisfy', HTMLButtonElement);
  readonly #trouble = find('satisfy-trouble', HTMLElement);
  readonly #challenge = find('challenge', HTMLElement);
  readonly #headers = find('response-headers', HTMLElement);
  readonly #body = find('response-body', HTMLPreElement);
  readonly #bodyNote = find('body-note', HTMLElement);

  /** @param onSatisfy is called when the button is pressed */
  constructor(onSatisfy: () => void) {
    this.#button.addEventListener('click', onSatisfy);
  }

  /** Shows that there is no answer yet. */
  clear(meaning: string): void {
    const hadFocus = document.activeElement === this.#button;
    this.#section.dataset['tone'] = 'none';
    this.#status.replaceChildren();
    this.#code.replaceChildren();
    this.#meaning.textContent = meaning;
    this.#button.hidden = true;
    this.#challenge.hidden = true;
    this.#trouble.replaceChildren();
    for (const part of [this.#headers, this.#body, this.#bodyNote]) {
      part.replaceChildren();
    }
    find('response', HTMLElement).hidden = true;
    if (hadFocus) {
      this.#title.focus();
    }
  }

  /** Shows the head of an answer. */
  showHead(answer: Answer, verdict: Verdict): void {
    const { status, statusText, problem, challenge, headers } = answer;
    this.#section.dataset['tone'] = toneOf(status);
    this.#status.textContent = status === 0 ? 'no answer' : `${status} ${statusText}`.trim();
    this.#code.textContent = problem?.code ?? '';
    this.#meaning.textContent = verdict.meaning;
    this.#challenge.hidden = challenge === undefined;
    if (challenge !== undefined) {
      this.#showChallenge(challenge);
    }
    this.#headers.replaceChildren(...tableOf(headers));
    find('response', HTMLElement).hidden = status === 0;
  }

  /** Shows the button of a remedy, or none. */
  showRemedy(remedy: Remedy | undefined, isSignedIn: boolean): void {
    this.#button.hidden = remedy === undefined;
    if (remedy !== undefined) {
      this.setButton(nameRemedy(remedy, isSignedIn));
    }
  }

  /** Says something else on the button. */
  setButton(text: string): void {
    this.#button.textContent = text;
  }

  /** Shows why a remedy came to nothing. */
  showTrouble(text: string): void {
    this.#trouble.textContent = text;
  }

  /** Shows what came of the body so far. */
  showBody({ text, bytes, state }: Body): void {
    this.#body.textContent = state === 'open' ? text : prettify(text);
    const cut = new TextEncoder().encode(text).length < bytes ? ', of which this is the beginning' : '';
    const notes = {
      open: `${formatBytes(bytes)} so far${cut}`,
      complete: bytes === 0 ? 'empty' : `${formatBytes(bytes)}${cut}`,
      stopped: `stopped by you after ${formatBytes(bytes)}${cut}`,
      broken: `the connection broke after ${formatBytes(bytes)}`,
    };
    this.#bodyNote.textContent = notes[state];
    this.#body.hidden = text === '';
  }

  #showChallenge(header: string): void {
    const { parameters, claims } = readChallenge(header);
    this.#challenge.replaceChildren(
      element('h3', {}, 'The challenge'),
      element('dl', {}, ...tableOf(parameters)),
      ...(claims === undefined
        ? []
        : [element('p', { class: 'about' }, 'Its claims, decoded:'), element('pre', {}, formatClaims(claims))]),
    );
  }
}

function tableOf(rows: readonly (readonly [string, string])[]): HTMLElement[] {
  return rows.map(([name, value]) =>
    element('div', {}, element('dt', {}, name), element('dd', {}, value === '' ? 'empty' : value)),
  );
}

function prettify(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return text;
  }
}

function formatBytes(bytes: number): string {
  if (bytes < 1024) {
    return `${bytes} bytes`;
  }
  const megabytes = bytes / 1024 / 1024;
  return megabytes < 1 ? `${(bytes / 1024).toFixed(1)} kB` : `${megabytes.toFixed(1)} MB`;
}
