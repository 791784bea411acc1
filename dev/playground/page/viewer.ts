import { find } from './element.ts';

/** From this width on the journey scrolls in a pane of its own; app.css has the same figures. */
const HAS_PANES = window.matchMedia('(min-width: 70rem) and (min-height: 36rem)');

/** Keeps what a person waits for in sight while a journey grows. */
export class Viewer {
  readonly #list: HTMLElement;
  #height = 0;
  #headings = 0;

  /** @param list the diagram */
  constructor(list: HTMLElement) {
    this.#list = list;
  }

  /**
   * Follows the journey after it was drawn: in its pane to its end; on a small screen to the beginning of each new part,
   * and once the answer is there, to what can be done about it.
   */
  follow(): void {
    const height = this.#list.scrollHeight;
    const headings = [...this.#list.querySelectorAll('.heading')];
    const hasGrown = height > this.#height;
    const isNewPart = headings.length > this.#headings;
    this.#height = height;
    this.#headings = headings.length;
    if (!hasGrown) {
      return;
    }
    const pane = this.#list.closest('.pane');
    if (HAS_PANES.matches) {
      pane?.scrollTo({ top: pane.scrollHeight });
    } else if (isNewPart) {
      headings.at(-1)?.scrollIntoView({ block: 'start' });
    } else {
      this.showAnswer();
    }
  }

  /** Where panes scroll for themselves, brings the button into sight that a person would press next. */
  showButton(id: string): void {
    if (HAS_PANES.matches) {
      find(id, HTMLButtonElement).scrollIntoView({ block: 'nearest' });
    }
  }

  /** On a small screen, brings what can be done about the answer into sight, if there is an answer. */
  showAnswer(): void {
    if (HAS_PANES.matches || find('response-status', HTMLElement).textContent === '') {
      return;
    }
    const button = find('satisfy', HTMLButtonElement);
    (button.hidden ? find('meaning', HTMLElement) : button).scrollIntoView({ block: 'nearest' });
  }
}
