/** What the page has to know of the world around it; served as `/settings.json`. */
export interface PlaygroundSettings {
  readonly gatewayUrl: string;
  /** The engine that carries the same calls. */
  readonly engineUrl: string;
  /** Where the emulator's endpoints are. */
  readonly entraOrigin: string;
  readonly tenantId: string;
  /** The page's own app registration. */
  readonly clientId: string;
  /** For the page of native authentication. */
  readonly native: NativeSettings;
  readonly users: readonly DemoUser[];
}

/** What a page has to know that signs people in without Entra's pages. */
export interface NativeSettings {
  /** Its app registration. */
  readonly clientId: string;
  /** Where the gateway serves the native authentication API. */
  readonly authApiProxyUrl: string;
}

/** Somebody who can sign in. */
export interface DemoUser {
  readonly name: string;
  readonly userPrincipalName: string;
  /** What is special about them, in a few words: `a policy asks her for MFA before her mail is read`. */
  readonly about: string;
  /** What they type where a page asks for it; undefined for people who have none. */
  readonly password: string | undefined;
}

/** Something in the world that can be turned while it runs. */
export interface WorldSwitch {
  readonly id: string;
  /** Whom it is about: `Entra`, `Policies`, `Microsoft Graph`, … */
  readonly group: string;
  readonly title: string;
  /** The positions, at rest first. */
  readonly positions: readonly SwitchPosition[];
  /** The `id` of the position in which it is. */
  readonly position: string;
}

/** One position of a switch. */
export interface SwitchPosition {
  readonly id: string;
  readonly title: string;
  /** What a call then meets, in a sentence: `Entra answers 429; the gateway tells callers to wait (503).` */
  readonly effect: string;
}

/** Something that can be done to the world once: `Revoke Adele's sessions`. */
export interface WorldAction {
  readonly id: string;
  readonly group: string;
  readonly title: string;
  readonly effect: string;
}
