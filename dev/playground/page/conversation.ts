import type { DemoUser } from '../playground-settings.ts';
import type { AnswerView } from './answer-view.ts';
import { SEND_AS, sendCall, type Answer, type CallRequest, type SendAs } from './call.ts';
import type { SendThrough } from './send-through.ts';
import { showConsentPage } from './consent-page.ts';
import type { Journey } from './journey.ts';
import { orStop } from './or-stop.ts';
import { judgeAnswer, nameScope, type Remedy } from './remedy.ts';
import { repeatCall } from './repeat-call.ts';
import { fetchTokenOfStranger } from './stranger.ts';
import type { Tokens } from './tokens.ts';
import type { WhoView } from './who-view.ts';

/** The parts of the page that a conversation speaks through. */
export interface Stage {
  /** Where calls are sent. */
  readonly apiUrls: Readonly<Record<SendThrough, string>>;
  readonly entraOrigin: string;
  readonly tokens: Tokens;
  readonly journey: Journey;
  readonly who: WhoView;
  readonly answer: AnswerView;
  /** Says in a sentence what just happened. */
  readonly tell: (text: string) => void;
  /** Called when something begins or ends that can be stopped. */
  readonly onBusy: (isBusy: boolean) => void;
  /** Called with what a newcomer would do next. */
  readonly onNext: (button: 'sign-in' | 'send' | 'satisfy') => void;
}

/** One or more calls that are sent one after the other, and again after each remedy. */
export interface Plan {
  readonly title: string;
  readonly calls: readonly CallRequest[];
  readonly sendAs: SendAs;
  readonly through: SendThrough;
}

/** How many calls go before the one that is shown, where it is sent often. */
const CALLS_BEFORE = 59;

/** What a person does with the gateway: signs in, sends, satisfies what an answer asks for, and sends again. */
export class Conversation {
  readonly #stage: Stage;
  #abort: AbortController | undefined;
  #plan: Plan | undefined;
  #remedy: Remedy | undefined;
  #tried: Remedy | undefined;
  /** True while the journey holds nothing but a sign-in, so that the first call belongs to it. */
  #isBeginning = false;

  /** @param stage what it speaks through */
  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** Shows who is signed in from before the page was loaded. */
  async resume(): Promise<void> {
    const { tokens, onNext } = this.#stage;
    await tokens.renewQuietly();
    onNext(tokens.isSignedIn ? 'send' : 'sign-in');
  }

  /** Lets a person sign in. */
  async signIn(user: DemoUser): Promise<void> {
    await this.#run(async (signal) => {
      const { journey, who } = this.#stage;
      this.#forget();
      journey.clear();
      journey.addHeading(`${user.name} signs in`);
      this.#isBeginning = true;
      try {
        await this.#signInAs(user, signal);
      } catch (error) {
        this.#stage.onNext('sign-in');
        who.showTrouble(messageOf(error));
        throw error;
      }
      this.#stage.onNext('send');
    });
  }

  /** Signs out, here and at Entra. */
  async signOut(): Promise<void> {
    await this.#run(async (signal) => {
      const { tokens, journey, who, tell, onNext } = this.#stage;
      this.#forget();
      journey.clear();
      journey.addHeading(`${who.name} signs out`);
      await tokens.signOut(signal);
      tell('Nobody is signed in any more.');
      onNext('sign-in');
    });
  }

  /** Begins a journey with these calls. */
  async send(plan: Plan): Promise<void> {
    await this.#run(async (signal) => {
      if (!this.#isBeginning) {
        this.#stage.journey.clear();
      }
      this.#isBeginning = false;
      this.#forget();
      this.#plan = plan;
      this.#stage.journey.addHeading(plan.title);
      await this.#sendAll(plan, signal);
    });
  }

  /** Does what the last answer asks for, and sends again. */
  async satisfy(): Promise<void> {
    const remedy = this.#remedy;
    const plan = this.#plan;
    if (!remedy || !plan) {
      return;
    }
    await this.#run(async (signal) => {
      const { answer, journey, onNext } = this.#stage;
      try {
        answer.showTrouble('');
        await this.#remedyBy(remedy, signal);
      } catch (error) {
        answer.showRemedy(remedy, this.#stage.tokens.isSignedIn);
        answer.showTrouble(messageOf(error));
        onNext('satisfy');
        throw error;
      }
      this.#tried = remedy;
      this.#plan = { ...plan, sendAs: remedy.do === 'wait' ? plan.sendAs : 'own' };
      journey.addHeading('The client sends again');
      await this.#sendAll(this.#plan, signal);
    });
  }

  /** Stops whatever is going on. */
  stop(): void {
    this.#abort?.abort(new Error('You stopped it.'));
  }

  /**
   * Changes the world around the gateway. The gateway remembers tokens and refusals by the token of the caller, so the
   * page gets a fresh one: before the change if Entra still gives one, otherwise after it.
   */
  async changeWorld(change: () => Promise<void>): Promise<void> {
    const { tokens } = this.#stage;
    const isRenewed = await tokens.renewQuietly();
    await change();
    if (!isRenewed) {
      await tokens.renewQuietly();
    }
  }

  /** Does one thing at a time, and shows what goes wrong. */
  async #run(act: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (this.#abort) {
      return;
    }
    const { onBusy, tell } = this.#stage;
    this.#abort = new AbortController();
    onBusy(true);
    try {
      await act(this.#abort.signal);
    } catch (error) {
      tell(messageOf(error));
    } finally {
      this.#abort = undefined;
      onBusy(false);
    }
  }

  #forget(): void {
    this.#tried = undefined;
    this.#remedy = undefined;
    this.#plan = undefined;
    this.#stage.answer.clear('The answer will stand here.');
  }

  async #sendAll(plan: Plan, signal: AbortSignal): Promise<void> {
    this.#stage.onNext('send');
    for (const call of plan.calls) {
      const answer = await this.#sendOne(call, plan, signal);
      if (answer.status === 0 || answer.status >= 400) {
        return;
      }
    }
  }

  async #sendOne(call: CallRequest, { sendAs, through }: Plan, signal: AbortSignal): Promise<Answer> {
    const { apiUrls, journey, tokens, answer: view, tell, onNext } = this.#stage;
    view.clear('Waiting for the answer.');
    const apiUrl = apiUrls[through];
    const accessToken = await this.#chooseToken(sendAs, signal);
    if (sendAs === 'often') {
      tell(`${call.method} ${call.path} is sent ${CALLS_BEFORE} times; the call after them is shown.`);
      const counts = await repeatCall(CALLS_BEFORE, call, { apiUrl, sendAs, accessToken, signal });
      journey.addHeading(`First ${counts}; then`);
    }
    const requestId = crypto.randomUUID();
    const { method, path } = call;
    journey.addCall({ correlationId: requestId, through, method, path, about: describe(call, sendAs) });
    tell(`${call.method} ${call.path} is on its way.`);
    const onHead = (answer: Answer): void => {
      this.#receive(call, requestId, answer);
    };
    const onBody = view.showBody.bind(view);
    const answer = await sendCall(call, { apiUrl, requestId, sendAs, accessToken, signal, onHead, onBody });
    // Not with the head: as long as the body is on its way, the button would do nothing.
    view.showRemedy(this.#remedy, tokens.isSignedIn);
    onNext(this.#remedy ? 'satisfy' : 'send');
    return answer;
  }

  async #chooseToken(sendAs: SendAs, signal: AbortSignal): Promise<string | undefined> {
    const session = await this.#stage.tokens.current(signal);
    if (session === undefined || sendAs !== 'stranger') {
      return session?.accessToken;
    }
    return fetchTokenOfStranger(this.#stage.entraOrigin, session.userPrincipalName, signal);
  }

  #receive(call: CallRequest, requestId: string, answer: Answer): void {
    const { journey, answer: view, tell } = this.#stage;
    const { status, ms, challenge, problem } = answer;
    journey.answerCall(requestId, { status, ms, challenge, refusal: problem?.code });
    const verdict = judgeAnswer(answer, this.#tried);
    this.#remedy = verdict.remedy;
    view.showHead(answer, verdict);
    const reason = problem ? `: ${problem.title}` : '';
    tell(`${call.method} ${call.path} got ${status === 0 ? 'no answer' : status} after ${ms} ms${reason}.`);
  }

  async #signInAs(user: DemoUser, signal: AbortSignal): Promise<void> {
    const { tokens, tell } = this.#stage;
    tell('Entra asks in a window of its own.');
    const { name } = await tokens.signIn(user, signal);
    tell(`${name} is signed in.`);
  }

  async #remedyBy(remedy: Remedy, signal: AbortSignal): Promise<void> {
    const { tokens, journey, who } = this.#stage;
    if (!tokens.isSignedIn && remedy.do !== 'wait') {
      journey.addHeading(`${who.user.name} signs in`);
      await this.#signInAs(who.user, signal);
      return;
    }
    journey.addHeading(describeRemedy(remedy, who.name));
    switch (remedy.do) {
      case 'renew':
        await tokens.get({ claims: remedy.claims, isFresh: true }, signal);
        return;
      case 'signIn':
        await tokens.get({ person: 'at once' }, signal);
        return;
      case 'askScopes':
        who.addScopes(remedy.scopes);
        await tokens.get({ isFresh: true }, signal);
        return;
      case 'consent':
        await this.#giveConsent(remedy.uri, signal);
        return;
      case 'wait':
        await this.#wait(remedy.seconds, signal);
    }
  }

  async #giveConsent(uri: string, signal: AbortSignal): Promise<void> {
    const { journey, tokens, tell } = this.#stage;
    const correlationId = crypto.randomUUID();
    journey.addVisit(correlationId);
    tell('Entra asks in a window of its own; close it when you are done.');
    await orStop(showConsentPage(uri, correlationId, signal), signal);
    // The gateway remembers a refusal for up to a minute, but only for the token that met it.
    await tokens.get({ isFresh: true }, signal);
  }

  async #wait(seconds: number, signal: AbortSignal): Promise<void> {
    const { answer, tell } = this.#stage;
    tell(`Waiting ${seconds} seconds, as the answer asked.`);
    for (let left = seconds; left > 0; left -= 1) {
      answer.setButton(`Sending again in ${left} s`);
      await orStop(new Promise((resolve) => setTimeout(resolve, 1000)), signal);
    }
  }
}

function describe({ about }: CallRequest, sendAs: SendAs): string {
  return [about, sendAs === 'own' ? '' : `with ${SEND_AS[sendAs]}`].filter(Boolean).join(', ');
}

function describeRemedy(remedy: Remedy, person: string): string {
  switch (remedy.do) {
    case 'renew':
      return remedy.claims === undefined ? 'The client gets a fresh token' : `${person} steps up`;
    case 'signIn':
      return `${person} signs in again`;
    case 'askScopes':
      return `The client asks for ${remedy.scopes.map(nameScope).join(', ')}`;
    case 'consent':
      return `${person} is asked for consent`;
    case 'wait':
      return `The client waits ${remedy.seconds} s`;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
