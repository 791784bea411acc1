import type { DemoUser } from '../../playground-settings.ts';
import { element, find } from '../element.ts';
import type { ChallengeType, Turn } from './native-sign-in.ts';

/** What a person does in the form. */
export interface SignInActions {
  readonly start: () => void;
  readonly submit: (answer: string) => void;
  readonly continueInBrowser: () => void;
  /** The last one-time code that was sent to somebody. */
  readonly readCode: (username: string) => Promise<string | undefined>;
}

/** The page's own sign-in form: who it is, then whatever Entra asks for, one thing at a time. */
export class SignInForm {
  readonly #users: readonly DemoUser[];
  readonly #person = find('native-person', HTMLSelectElement);
  readonly #username = find('native-username', HTMLInputElement);
  readonly #step = find('step', HTMLFormElement);
  readonly #password = find('native-password', HTMLInputElement);
  readonly #code = find('native-code', HTMLInputElement);
  readonly #codeHint = find('code-hint', HTMLElement);
  readonly #fallback = find('native-fallback', HTMLButtonElement);
  #ask: 'password' | 'code' | undefined;

  /** Fills in who can sign in. */
  constructor(users: readonly DemoUser[], actions: SignInActions) {
    this.#users = users;
    const options = users.map(({ name, userPrincipalName }) => element('option', { value: userPrincipalName }, name));
    this.#person.replaceChildren(...options);
    this.#person.addEventListener('change', () => {
      this.#choosePerson();
    });
    this.#choosePerson();
    const start = find('start', HTMLFormElement);
    onSubmit(start, actions.start);
    start.inert = false;
    onSubmit(this.#step, () => {
      actions.submit(this.#ask === 'password' ? this.#password.value : this.#code.value);
    });
    this.#fallback.addEventListener('click', actions.continueInBrowser);
    find('read-mail', HTMLButtonElement).addEventListener('click', () => {
      this.#readMail(actions).catch((error: unknown) => {
        this.#codeHint.textContent = String(error);
      });
    });
  }

  /** Who signs in. */
  get username(): string {
    return this.#username.value;
  }

  /** What the page may ask for. */
  get challengeTypes(): ChallengeType[] {
    const types = ['password', 'oob'] as const;
    return types.filter((type) => find(`can-${type}`, HTMLInputElement).checked);
  }

  /** Says what is going on. */
  tell(text: string): void {
    find('native-state', HTMLElement).textContent = text;
  }

  /** Shows what Entra asks for, and puts the focus there. */
  show(turn: Turn): void {
    this.#ask = turn.kind === 'ask' ? turn.ask : undefined;
    this.#step.hidden = this.#ask === undefined;
    find('password-field', HTMLElement).hidden = this.#ask !== 'password';
    find('code-field', HTMLElement).hidden = this.#ask !== 'code';
    this.#fallback.hidden = turn.kind !== 'browser';
    for (const field of [this.#password, this.#code]) {
      field.value = '';
    }
    this.#codeHint.textContent = '';
    this.tell(describe(turn));
    document.body.dataset['next'] = nextButton(turn);
    this.#focusOf(turn)?.focus();
  }

  #focusOf({ kind }: Turn): HTMLElement | undefined {
    if (kind === 'browser') {
      return this.#fallback;
    }
    if (this.#ask === undefined) {
      return undefined;
    }
    return this.#ask === 'password' ? this.#password : this.#code;
  }

  #choosePerson(): void {
    const user = this.#users.find(({ userPrincipalName }) => userPrincipalName === this.#person.value);
    this.#username.value = this.#person.value;
    find('person-about', HTMLElement).textContent = user?.about ?? '';
    const hint = user?.password === undefined ? '' : `In this world it is ${user.password}`;
    find('password-hint', HTMLElement).textContent = hint;
  }

  /** Nobody sends the mails of the demo world. */
  async #readMail({ readCode }: SignInActions): Promise<void> {
    const code = await readCode(this.username);
    this.#codeHint.textContent = code === undefined ? 'There is no mail.' : `The code is ${code}.`;
  }
}

function onSubmit(form: HTMLFormElement, act: () => void): void {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    act();
  });
}

function describe(turn: Turn): string {
  switch (turn.kind) {
    case 'ask':
      if (turn.wrong !== undefined) {
        return `${turn.wrong} Try again.`;
      }
      return turn.ask === 'password' ? 'Entra asks for the password.' : 'Entra has sent a code by mail.';
    case 'browser':
      return 'Entra wants more than this page can ask for, and sends the person to its own page.';
    case 'refused':
      return turn.why;
    case 'signedIn':
      return `${turn.name} is signed in.`;
  }
}

function nextButton({ kind }: Turn): string {
  if (kind === 'ask') {
    return 'native-submit';
  }
  return kind === 'browser' ? 'native-fallback' : 'native-start';
}
