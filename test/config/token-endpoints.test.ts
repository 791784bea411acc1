import { afterAll, describe, expect, it } from '@jest/globals';
import { linesOf, makeConfigFolder, withKeys } from './config-folder.ts';

const folder = await makeConfigFolder();
afterAll(() => folder.remove());

const SECTION = { downstreams: ['graph'], security: [['Orders.Read']] };
const AT = 'authorizationService.tokenEndpoints';

describe('token endpoints', () => {
  it('are off without their section', async () => {
    const { authorizationService } = await folder.load(withKeys({ authorizationService: {} }));
    expect(authorizationService?.tokenEndpoints).toBeUndefined();
  });

  it.each([
    SECTION,
    { ...SECTION, security: [['Orders.Read', 'Orders.Write'], ['Admin']] },
    { ...SECTION, security: [{ user: ['Orders.Read'] }, { app: ['Orders.Read.All'] }] },
  ])('may be set as %j', async (tokenEndpoints) => {
    const { authorizationService } = await folder.load(withKeys({ authorizationService: { tokenEndpoints } }));
    expect(authorizationService?.tokenEndpoints).toEqual(tokenEndpoints);
  });

  it.each<[tokenEndpoints: unknown, fault: string]>([
    [
      { ...SECTION, downstreams: ['graf'] },
      `${AT}.downstreams[0]: found "graf"; allowed: a name in downstreams, such as graph`,
    ],
    [
      { ...SECTION, downstreams: [] },
      `${AT}.downstreams: found a list of 0; allowed: at least one name of a downstream`,
    ],
    [{ security: SECTION.security }, `${AT}.downstreams: found nothing; allowed: a list of names of downstreams`],
    [
      { downstreams: ['graph'] },
      `${AT}.security: found nothing; allowed: a list of alternatives such as [[Orders.Read]]`,
    ],
    [
      { ...SECTION, security: [] },
      `${AT}.security: found a list of 0; allowed: at least one alternative such as [Orders.Read]`,
    ],
    [{ ...SECTION, security: [[]] }, `${AT}.security[0]: found a list of 0; allowed: at least one scope or role`],
    [
      { ...SECTION, security: ['Orders.Read'] },
      `${AT}.security[0]: found "Orders.Read"; allowed: a list of scopes such as [Orders.Read], or { app: [roles] }`,
    ],
    [{ ...SECTION, downstream: ['graph'] }, `${AT}.downstream: is not a known key; did you mean downstreams?`],
  ])('are at fault as %j', async (tokenEndpoints, fault) => {
    const faults = await folder.faultsOf(withKeys({ authorizationService: { tokenEndpoints } }));
    expect(linesOf(faults)).toEqual([fault]);
  });
});
