import type { PlaygroundSettings } from '../../playground-settings.ts';
import { AnswerView } from '../answer-view.ts';
import { sendCall, type Answer } from '../call.ts';
import { loadContract } from '../contract.ts';
import { find } from '../element.ts';
import type { Journey } from '../journey.ts';
import { judgeAnswer } from '../remedy.ts';
import { startJourney } from '../start-journey.ts';
import { Viewer } from '../viewer.ts';
import { NativeSignIn, type Turn } from './native-sign-in.ts';
import { SignInForm } from './sign-in-form.ts';

/** What is called once somebody is signed in; a policy of the demo guards what lies behind it. */
const CALL = { method: 'GET', path: '/me', about: 'Who is signed in' };

/** The library takes only a reply with all kinds of tokens. */
const OPENID_SCOPES = ['openid', 'profile', 'offline_access'];

/** A page that signs people in by itself, calls the gateway for them, and does what a claims challenge asks for. */
class NativePage {
  readonly #settings: PlaygroundSettings;
  readonly #scopes: readonly string[];
  readonly #form: SignInForm;
  readonly #viewer = new Viewer(find('diagram', HTMLOListElement));
  readonly #journey: Journey = startJourney(this.#viewer);
  readonly #answer = new AnswerView(() => void this.#begin(this.#claims));
  #signIn: NativeSignIn | undefined;
  #turn: Turn | undefined;
  /** Those that the last answer asks for. */
  #claims: string | undefined;

  private constructor(settings: PlaygroundSettings, scopes: readonly string[]) {
    this.#settings = settings;
    this.#scopes = scopes;
    this.#form = new SignInForm(settings.users, {
      start: () => {
        this.#journey.clear();
        void this.#begin(undefined);
      },
      submit: (answer) => {
        if (this.#turn?.kind === 'ask') void this.#go(this.#turn.submit(answer));
      },
      continueInBrowser: () => void this.#continueInBrowser(),
      readCode: async (username) => {
        const user = encodeURIComponent(username);
        const response = await fetch(`${settings.entraOrigin}/_emulator/codes?user=${user}`);
        const [latest] = (await response.json()) as { readonly code: string }[];
        return latest?.code;
      },
    });
  }

  /**
   * Opens the page.
   * @throws {TypeError} when the gateway cannot be reached
   */
  static async open(): Promise<NativePage> {
    const settings = (await (await fetch('/settings.json')).json()) as PlaygroundSettings;
    const { permissions } = await loadContract(settings.gatewayUrl);
    return new NativePage(settings, [...permissions.map(({ scope }) => scope), ...OPENID_SCOPES]);
  }

  /** Begins a sign-in; with claims it is a step-up. */
  async #begin(claims: string | undefined): Promise<void> {
    const { username, challengeTypes } = this.#form;
    this.#journey.addHeading(`${username} ${claims === undefined ? 'signs in' : 'steps up'}`);
    this.#answer.clear('The answer of the gateway to the first call will stand here.');
    const demand = { username, challengeTypes, scopes: this.#scopes, claims };
    this.#signIn = await NativeSignIn.create(this.#settings, demand, (requestId) => {
      this.#journey.addProxiedRequest(requestId);
    });
    await this.#go(this.#signIn.start());
  }

  async #continueInBrowser(): Promise<void> {
    const correlationId = crypto.randomUUID();
    this.#journey.addHeading(`${this.#form.username} goes on in Entra’s window`);
    this.#journey.addVisit(correlationId);
    if (this.#signIn) await this.#go(this.#signIn.continueInBrowser(correlationId));
  }

  /** Waits for what comes next, shows it, and calls the gateway once somebody is signed in. */
  async #go(next: Promise<Turn>): Promise<void> {
    this.#form.tell('Asking Entra.');
    this.#turn = await next.catch(toRefusal);
    this.#form.show(this.#turn);
    if (this.#turn.kind === 'signedIn') await this.#call(this.#turn.accessToken);
  }

  async #call(accessToken: string): Promise<void> {
    const requestId = crypto.randomUUID();
    this.#journey.addHeading('The client sends');
    this.#journey.addCall({ correlationId: requestId, ...CALL });
    await sendCall(CALL, {
      gatewayUrl: this.#settings.gatewayUrl,
      requestId,
      sendAs: 'own',
      accessToken,
      signal: new AbortController().signal,
      onHead: (head) => {
        this.#receive(requestId, head);
      },
      onBody: (body) => {
        this.#answer.showBody(body);
      },
    });
  }

  #receive(requestId: string, head: Answer): void {
    const { status, ms, challenge, problem } = head;
    this.#journey.answerCall(requestId, { status, ms, challenge, refusal: problem?.code });
    const verdict = judgeAnswer(head, undefined);
    // There is one thing that this page does about an answer: it signs in again with the claims that it asks for.
    const remedy = verdict.remedy?.do === 'renew' ? verdict.remedy : undefined;
    this.#claims = remedy?.claims;
    this.#answer.showHead(head, verdict);
    this.#answer.showRemedy(remedy, true);
    if (remedy) document.body.dataset['next'] = 'satisfy';
    this.#viewer.showAnswer();
  }
}

function toRefusal(error: unknown): Turn {
  return { kind: 'refused', why: error instanceof Error ? error.message : String(error) };
}

await NativePage.open().catch((error: unknown) => {
  const state = find('native-state', HTMLElement);
  state.textContent = `The page cannot start: is npm start still running? (${String(error)})`;
});
