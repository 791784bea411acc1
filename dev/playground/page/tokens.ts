import type { DemoUser } from '../playground-settings.ts';
import type { Identity, Session, TokenDemand } from './identity.ts';
import { orStop } from './or-stop.ts';
import type { WhoView } from './who-view.ts';

/** The tokens of whoever is signed in; what the page shows of them is always the newest. */
export class Tokens {
  readonly #identity: Identity;
  readonly #who: WhoView;
  #isStale = false;

  constructor(identity: Identity, who: WhoView) {
    this.#identity = identity;
    this.#who = who;
  }

  /** True when somebody is signed in. */
  get isSignedIn(): boolean {
    return this.#identity.isSignedIn;
  }

  /**
   * Lets a person sign in.
   * @throws {Error} why it came to nothing, for the person
   */
  async signIn({ userPrincipalName }: DemoUser, signal: AbortSignal): Promise<Session> {
    return this.#show(await orStop(this.#identity.signIn(userPrincipalName, this.#who.scopes, signal), signal));
  }

  /** Signs out, here and at Entra. */
  async signOut(signal: AbortSignal): Promise<void> {
    try {
      await orStop(this.#identity.signOut(signal), signal);
    } finally {
      this.#who.showSession(undefined);
    }
  }

  /** The token to send; none when nobody is signed in. */
  async current(signal: AbortSignal): Promise<Session | undefined> {
    return this.isSignedIn ? this.get({ isFresh: this.#isStale }, signal) : undefined;
  }

  /**
   * Gets a token with the permissions that are chosen.
   * @throws {Error} why it came to nothing, for the person
   */
  async get(demand: Omit<TokenDemand, 'scopes'>, signal: AbortSignal): Promise<Session> {
    return this.#show(await orStop(this.#identity.getToken({ scopes: this.#who.scopes, ...demand }, signal), signal));
  }

  /**
   * Gets a token that the gateway has never seen, if that works without the person; otherwise the next one that is sent
   * will be fresh.
   */
  async renewQuietly(): Promise<boolean> {
    if (!this.isSignedIn) {
      return true;
    }
    try {
      const demand = { scopes: this.#who.scopes, isFresh: true, person: 'never' } as const;
      this.#show(await this.#identity.getToken(demand, new AbortController().signal));
    } catch {
      this.#isStale = true;
    }
    return !this.#isStale;
  }

  #show(session: Session): Session {
    this.#isStale = false;
    this.#who.showSession(session);
    return session;
  }
}
