import { EntraError } from './entra-error.ts';
import { findTenant, type App, type Tenant, type World } from './world-model.ts';

/** Path segments that stand for no single tenant. */
export const SHARED_TENANTS = ['common', 'organizations'];

/**
 * The tenant that a path names, for a client that needs one of its own.
 * @throws {EntraError} 9001023 for `common` and `organizations`, 90002, 700016
 */
export function demandTenant(world: World, segment: string, client: App): Tenant {
  if (SHARED_TENANTS.includes(segment)) {
    throw new EntraError(9001023);
  }
  const tenant = findTenant(world, segment);
  if (!tenant) {
    throw new EntraError(90002);
  }
  if (!client.tenants.includes(tenant.id)) {
    throw new EntraError(700016);
  }
  return tenant;
}
