import type { GatewaySettings } from './schema.ts';

/**
 * Lists the `aud` values that mean this API. By default they are the client id, which Entra writes in small letters
 * however gateway.yaml writes it, and the App ID URI that is made of it.
 */
export function listAudiences({
  audiences,
  clientId,
}: Pick<GatewaySettings['identity'], 'audiences' | 'clientId'>): string[] {
  const names = new Set([clientId, clientId.toLowerCase()]);
  return audiences.length > 0 ? audiences : [...names].flatMap((id) => [id, `api://${id}`]);
}
