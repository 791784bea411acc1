import type { DemoUser } from '../playground-settings.ts';
import type { Permission } from './contract.ts';
import { element, find } from './element.ts';
import type { Session } from './identity.ts';
import { describeToken, readExpiry } from './token-claims.ts';

/** The demo's policy is about her. */
const FIRST_PERSON = 'Megan Bowen';

/** What a person does in this part of the page. */
export interface WhoActions {
  signIn(user: DemoUser): void;
  signOut(): void;
}

/** The part of the page about the person: who signs in, with which permissions, and what their token says. */
export class WhoView {
  readonly #users: readonly DemoUser[];
  readonly #person = find('person', HTMLSelectElement);
  readonly #signIn = find('sign-in', HTMLButtonElement);
  readonly #signOut = find('sign-out', HTMLButtonElement);
  readonly #scopes = find('scopes', HTMLElement);
  readonly #trouble = find('sign-in-trouble', HTMLElement);
  #session: Session | undefined;

  /** Fills in who can sign in. */
  constructor(users: readonly DemoUser[], actions: WhoActions) {
    this.#users = users;
    this.#person.replaceChildren(
      ...users.map(({ name, userPrincipalName }) => element('option', { value: userPrincipalName }, name)),
    );
    this.#person.value = (users.find(({ name }) => name === FIRST_PERSON) ?? users[0])?.userPrincipalName ?? '';
    this.#person.addEventListener('change', () => {
      this.#drawPerson();
    });
    this.#signIn.addEventListener('click', () => {
      actions.signIn(this.user);
    });
    this.#signOut.addEventListener('click', () => {
      actions.signOut();
    });
    this.showSession(undefined);
  }

  /** The name of whoever is signed in. */
  get name(): string {
    return this.#session?.name ?? 'Nobody';
  }

  /** Who is chosen. */
  get user(): DemoUser {
    const user = this.#users.find(({ userPrincipalName }) => userPrincipalName === this.#person.value);
    if (!user) {
      throw new Error('The playground has no demo users.');
    }
    return user;
  }

  /** The permissions that are asked for, at least one. */
  get scopes(): string[] {
    return this.#boxes()
      .filter(({ checked }) => checked)
      .map(({ value }) => value);
  }

  /** Offers the permissions of the contract, all of them chosen. */
  offerPermissions(permissions: readonly Permission[]): void {
    this.#scopes.replaceChildren(...permissions.map(drawPermission));
    this.#scopes.addEventListener('change', ({ target }) => {
      // A request for no scope at all would give a token for another API.
      if (this.scopes.length === 0 && target instanceof HTMLInputElement) {
        target.checked = true;
      }
      this.#countScopes();
    });
    this.#countScopes();
  }

  /** Chooses more permissions. */
  addScopes(scopes: readonly string[]): void {
    for (const box of this.#boxes()) {
      box.checked ||= scopes.includes(box.value);
    }
    this.#countScopes();
  }

  /** Shows who is signed in and what their token says. */
  showSession(session: Session | undefined): void {
    this.#session = session;
    if (session) {
      this.#person.value = session.userPrincipalName;
    }
    find('who', HTMLElement).textContent = session?.name ?? 'Nobody';
    find('token', HTMLElement).hidden = session === undefined;
    find('who-note', HTMLElement).hidden = session !== undefined;
    this.#signOut.hidden = session === undefined;
    this.#trouble.replaceChildren();
    if (session) {
      this.#showToken(session.accessToken);
    }
    this.#drawPerson();
  }

  /** Shows why a sign-in came to nothing. */
  showTrouble(text: string): void {
    this.#trouble.textContent = text;
  }

  #drawPerson(): void {
    const { name, about, userPrincipalName } = this.user;
    const isSame = this.#session?.userPrincipalName === userPrincipalName;
    find('person-about', HTMLElement).textContent = about;
    this.#signIn.textContent = isSame ? 'Sign in again' : `Sign in as ${name}`;
  }

  #showToken(accessToken: string): void {
    const until = readExpiry(accessToken).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
    find('token-until', HTMLElement).textContent = `valid until ${until}`;
    const rows = describeToken(accessToken).map(({ name, value, meaning }) =>
      element(
        'div',
        {},
        element('dt', {}, element('code', {}, name)),
        element('dd', {}, value, ...(meaning === '' ? [] : [element('span', { class: 'about' }, meaning)])),
      ),
    );
    find('claims', HTMLElement).replaceChildren(...rows);
  }

  #boxes(): HTMLInputElement[] {
    return [...this.#scopes.querySelectorAll('input')];
  }

  #countScopes(): void {
    const all = this.#boxes().length;
    const count = this.scopes.length;
    find('scopes-count', HTMLElement).textContent = count === all ? 'all' : `${count} of ${all}`;
  }
}

function drawPermission({ scope, name, about }: Permission): HTMLElement {
  const box = element('input', { type: 'checkbox', value: scope, 'data-testid': `scope-${name}` });
  box.checked = true;
  const text = element('span', {}, element('code', {}, name), element('span', { class: 'about' }, about));
  return element('label', { class: 'choice' }, box, text);
}
