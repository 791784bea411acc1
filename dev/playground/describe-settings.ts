import type { Emulator } from '../emulator/emulator.ts';
import { DESKTOP_CLIENT_ID, HOME_TENANT_ID, STOREFRONT_CLIENT_ID } from '../emulator/world.ts';
import { describeDesktop, SCOPES } from '../tour/sign-in-client.ts';
import type { PlaygroundSettings } from './playground-settings.ts';

/** What the page has to know of this demo world. */
export function describeSettings(
  { gatewayUrl, engineUrl }: Pick<PlaygroundSettings, 'gatewayUrl' | 'engineUrl'>,
  { origin, world }: Emulator,
): PlaygroundSettings {
  return {
    gatewayUrl,
    engineUrl,
    entraOrigin: origin,
    tenantId: HOME_TENANT_ID,
    clientId: DESKTOP_CLIENT_ID,
    native: { clientId: STOREFRONT_CLIENT_ID, authApiProxyUrl: `${gatewayUrl}/native-auth` },
    users: world.users.map(({ name, userPrincipalName, about, password }) => ({
      name,
      userPrincipalName,
      about,
      password,
    })),
  };
}

/** What the single-page app of `examples/` reads as its settings. */
export function describeSinglePageApp({ gatewayUrl, entraOrigin }: PlaygroundSettings): {
  readonly gatewayUrl: string;
  readonly scopes: readonly string[];
  readonly auth: ReturnType<typeof describeDesktop>;
} {
  return { gatewayUrl, scopes: SCOPES, auth: describeDesktop(entraOrigin) };
}
