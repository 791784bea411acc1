import { ConfidentialClientApplication } from '@azure/msal-node';
import axios from 'axios';
import express from 'express';
import { passportJwtSecret } from 'jwks-rsa';
import passport from 'passport';
import { ExtractJwt, Strategy } from 'passport-jwt';

// One client for the whole process, whose cache keeps everyone's tokens, as in Microsoft's sample
// (ms-identity-javascript-react-tutorial, 6-AdvancedScenarios/1-call-api-obo). The static metadata spares MSAL the
// discovery, and lets the token endpoint be http.
const { CLIENT_ID, TENANT_ID, ENTRA, ISSUER, DOWNSTREAM_SCOPE } = process.env;
const authority = `https://login.microsoftonline.com/${TENANT_ID}`;
const client = new ConfidentialClientApplication({
  auth: {
    clientId: CLIENT_ID,
    clientSecret: 'only-for-the-bench',
    authority,
    authorityMetadata: JSON.stringify({
      issuer: `${authority}/v2.0`,
      authorization_endpoint: `${authority}/oauth2/v2.0/authorize`,
      token_endpoint: `${ENTRA}/${TENANT_ID}/oauth2/v2.0/token`,
      jwks_uri: `${ENTRA}/keys`,
    }),
  },
});

passport.use(
  new Strategy(
    {
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      algorithms: ['RS256'],
      audience: CLIENT_ID,
      issuer: ISSUER,
      secretOrKeyProvider: passportJwtSecret({ cache: true, rateLimit: true, jwksUri: `${ENTRA}/keys` }),
    },
    (claims, done) => done(null, claims),
  ),
);

const app = express();

app.get('/health', (_req, res) => {
  res.send('ok');
});

for (const { method, path, origin } of JSON.parse(process.env.ROUTES)) {
  app[method](path, passport.authenticate('jwt', { session: false }), async (req, res) => {
    if (!req.user.scp?.split(' ').includes('Profile.Read')) {
      res.status(403).end();
      return;
    }
    const { accessToken } = await client.acquireTokenOnBehalfOf({
      oboAssertion: req.get('authorization').split(' ')[1],
      scopes: [DOWNSTREAM_SCOPE],
    });
    const answer = await axios.get(`${origin}${path}`, { headers: { Authorization: `Bearer ${accessToken}` } });
    res.send(answer.data);
  });
}

app.listen(Number(process.env.PORT), '127.0.0.1');
