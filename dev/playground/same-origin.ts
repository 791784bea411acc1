import type { RequestHandler } from 'express';

/** Lets pass only requests for our own host: a page whose name was pointed at this machine gets nothing. */
export function demandOwnHost(origin: string): RequestHandler {
  const { host } = new URL(origin);
  return (req, res, next) => {
    if (req.get('host') === host) {
      next();
    } else if (req.method === 'GET' && req.path === '/') {
      res.redirect(307, `${origin}/`);
    } else {
      res.status(421).json({ error: `This is ${host}.` });
    }
  };
}

/** Lets changes pass only from our own pages, or from what is no browser; and a body only as JSON. */
export function demandOwnPage(origin: string): RequestHandler {
  return (req, res, next) => {
    const from = req.get('origin') ?? origin;
    const site = req.get('sec-fetch-site') ?? 'same-origin';
    if (from !== origin || site !== 'same-origin') {
      res.status(403).json({ error: 'Only the pages of the playground may change the world.' });
    } else if (req.is('application/json') === false) {
      res.status(415).json({ error: 'Send JSON.' });
    } else {
      next();
    }
  };
}
