import type { User } from '../world-model.ts';

/** What a client said about itself when it began a flow. */
export interface Flow {
  readonly clientId: string;
  readonly tenantId: string;
  /** What it can ask a person for: `password`, `oob` (a one-time code); always with `redirect`. */
  readonly challengeTypes: readonly string[];
  /** What it can go on with at the token endpoint: `mfa_required`, `registration_required`. */
  readonly capabilities: readonly string[];
}

/** An account that somebody is about to have. */
export interface NewAccount {
  readonly username: string;
  readonly password: string | undefined;
  /** By the names that the app asks for. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** Somebody who is known, though nothing is proved. */
interface Named {
  readonly user: User;
}

/** Somebody who proved something. */
interface Proved extends Named {
  /** How: `pwd`, `otp`, `mfa`. */
  readonly amr: readonly string[];
}

/** What waits for a one-time code that was sent. */
interface Sent {
  readonly code: string;
}

/** Somebody who is about to have an account. */
interface Applied {
  readonly account: NewAccount;
}

/** What is known at each step of a flow; the name of the step decides which calls its client may make next. */
interface StepKnowledge {
  signIn: Named;
  signInPassword: Named;
  signInCode: Named & Sent;
  secondFactor: Proved;
  secondFactorCode: Proved & Sent;
  registration: Proved;
  registrationCode: Proved & Sent & { readonly email: string };
  registrationPreverified: Proved & { readonly email: string };
  signedIn: Proved;
  signUp: Applied;
  signUpCode: Applied & Sent;
  signUpCredential: Applied;
  signUpPassword: Applied;
  signUpAttributes: Applied;
  reset: Named;
  resetCode: Named & Sent;
  resetPassword: Named;
  resetPoll: Named & { polls: number };
}

/** The name of a step. */
export type StepName = keyof StepKnowledge;

/** Where a flow stands. */
export type FlowStep<Name extends StepName = StepName> = {
  [At in Name]: { readonly at: At } & StepKnowledge[At];
}[Name];

/** What a continuation token stands for. */
export interface Continuation<Name extends StepName = StepName> {
  readonly token: string;
  readonly flow: Flow;
  readonly step: FlowStep<Name>;
  /** Unix seconds. */
  readonly expiresAt: number;
}
