import type { PlaygroundSettings } from '../../playground-settings.ts';
import { AnswerView } from '../answer-view.ts';
import { sendCall, type Answer } from '../call.ts';
import { showConsentPage } from '../consent-page.ts';
import { loadContract } from '../contract.ts';
import { find } from '../element.ts';
import type { Journey } from '../journey.ts';
import { judgeAnswer, type Remedy } from '../remedy.ts';
import { startJourney } from '../start-journey.ts';
import { Viewer } from '../viewer.ts';
import { NativeSignIn, type Turn } from './native-sign-in.ts';
import { SignInForm } from './sign-in-form.ts';

/** What is called once somebody is signed in; a policy of the demo guards what lies behind it. */
const CALL = { method: 'GET', path: '/me', about: 'Who is signed in' };

/** The library takes only a reply with all kinds of tokens. */
const OPENID_SCOPES = ['openid', 'profile', 'offline_access'];

/** A page that signs people in by itself, calls the gateway for them, and does what an answer asks for. */
class NativePage {
  readonly #settings: PlaygroundSettings;
  readonly #scopes: readonly string[];
  readonly #form: SignInForm;
  readonly #viewer = new Viewer(find('diagram', HTMLOListElement));
  readonly #journey: Journey = startJourney(this.#viewer);
  readonly #answer = new AnswerView(() => void this.#satisfy());
  #signIn: NativeSignIn | undefined;
  #turn: Turn | undefined;
  /** What the last answer asks for. */
  #remedy: Remedy | undefined;

  private constructor(settings: PlaygroundSettings, scopes: readonly string[]) {
    this.#settings = settings;
    this.#scopes = scopes;
    this.#form = new SignInForm(settings.users, {
      start: () => {
        this.#journey.clear();
        void this.#begin(undefined);
      },
      submit: (answer) => {
        if (this.#turn?.kind === 'ask') {
          void this.#go(this.#turn.submit(answer));
        }
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
    if (this.#signIn) {
      await this.#go(this.#signIn.continueInBrowser(correlationId));
    }
  }

  /** Does what the last answer asks for, and calls again. */
  async #satisfy(): Promise<void> {
    const remedy = this.#remedy;
    if (remedy === undefined) {
      return;
    }
    this.#showRemedy(undefined);
    try {
      await this.#remedyBy(remedy);
    } catch (error) {
      this.#showRemedy(remedy);
      this.#answer.showTrouble(error instanceof Error ? error.message : String(error));
    }
  }

  async #remedyBy(remedy: Remedy): Promise<void> {
    switch (remedy.do) {
      case 'renew':
        await this.#begin(remedy.claims);
        return;
      case 'consent':
        await this.#giveConsent(remedy.uri);
        return;
      case 'wait':
        this.#journey.addHeading(`The client waits ${remedy.seconds} s`);
        await new Promise((resolve) => setTimeout(resolve, remedy.seconds * 1000));
        if (this.#turn?.kind === 'signedIn') {
          await this.#call(this.#turn.accessToken);
        }
        return;
      case 'signIn':
      case 'askScopes':
        await this.#begin(undefined);
    }
  }

  async #giveConsent(uri: string): Promise<void> {
    const correlationId = crypto.randomUUID();
    this.#journey.addHeading(`${this.#form.username} is asked for consent`);
    this.#journey.addVisit(correlationId);
    await showConsentPage(uri, correlationId, new AbortController().signal);
    // The gateway remembers a refusal for up to a minute, but only for the token that met it.
    const renewalId = crypto.randomUUID();
    this.#journey.addProxiedRequest(renewalId);
    if (this.#signIn) {
      await this.#go(this.#signIn.renew(renewalId));
    }
  }

  /** Waits for what comes next, shows it, and calls the gateway once somebody is signed in. */
  async #go(next: Promise<Turn>): Promise<void> {
    this.#form.tell('Asking Entra.');
    this.#turn = await next.catch(toRefusal);
    this.#form.show(this.#turn);
    if (this.#turn.kind === 'signedIn') {
      await this.#call(this.#turn.accessToken);
    }
  }

  async #call(accessToken: string): Promise<void> {
    const requestId = crypto.randomUUID();
    this.#journey.addHeading('The client sends');
    this.#answer.clear('Waiting for the answer of the gateway.');
    this.#journey.addCall({ correlationId: requestId, through: 'gateway', ...CALL });
    await sendCall(CALL, {
      apiUrl: this.#settings.gatewayUrl,
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
    this.#answer.showHead(head, verdict);
    this.#showRemedy(verdict.remedy);
    this.#viewer.showAnswer();
  }

  #showRemedy(remedy: Remedy | undefined): void {
    this.#remedy = remedy;
    this.#answer.showTrouble('');
    this.#answer.showRemedy(remedy, true);
    document.body.dataset['next'] = remedy ? 'satisfy' : 'native-start';
  }
}

function toRefusal(error: unknown): Turn {
  return { kind: 'refused', why: error instanceof Error ? error.message : String(error) };
}

await NativePage.open().catch((error: unknown) => {
  const state = find('native-state', HTMLElement);
  state.textContent = `The page cannot start: is npm start still running? (${String(error)})`;
});
