/** How a person answers the pages: the values of the buttons that they press, by name. */
export type Persona = Readonly<Record<string, string>>;

interface Page {
  readonly url: string;
  readonly html: string;
}

interface Answer {
  readonly action: string;
  readonly fields: URLSearchParams;
}

const MAX_PAGES = 12;

/** A browser without a screen: keeps cookies, follows redirects and fills in the emulator's forms for a person. */
export class Browser {
  readonly #home: string;
  readonly #cookies = new Map<string, string>();

  /** Makes a browser for the pages of one origin; what leads elsewhere is delivered there and ends a visit. */
  constructor(home: string) {
    this.#home = home;
  }

  /** Opens an address and answers page after page as the person would; returns the text of the last. */
  async visit(address: string, persona: Persona): Promise<string> {
    let page = await this.#open(address);
    for (let pages = 0; pages < MAX_PAGES; pages += 1) {
      const answer = page.url.startsWith(this.#home) ? fillIn(page, persona) : undefined;
      if (!answer) {
        return page.html;
      }
      page = await this.#open(answer.action, answer.fields);
    }
    throw new Error(`The pages at ${address} did not come to an end.`);
  }

  async #open(address: string, fields?: URLSearchParams): Promise<Page> {
    const response = await fetch(address, {
      redirect: 'manual',
      headers: { cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(fields && { method: 'POST', body: fields }),
    });
    for (const cookie of response.headers.getSetCookie()) {
      this.#keep(cookie);
    }
    const location = response.headers.get('location');
    if (location === null) {
      return { url: address, html: await response.text() };
    }
    return this.#open(new URL(location, address).href);
  }

  #keep(cookie: string): void {
    const [name = '', value = ''] = (cookie.split(';')[0] ?? '').split('=', 2);
    this.#cookies.set(name, value);
  }
}

function fillIn({ url, html }: Page, persona: Persona): Answer | undefined {
  const form = /<form method="post"(?: action="([^"]*)")?>(.*?)<\/form>/s.exec(html);
  if (!form) {
    return undefined;
  }
  const [, action, body = ''] = form;
  const fields = new URLSearchParams();
  for (const { name, value } of findTags(body, 'input')) {
    fields.set(name, value || (persona[name] ?? ''));
  }
  const buttons = findTags(body, 'button');
  const pressed = buttons.find(({ name, value }) => persona[name] === value) ?? buttons[0];
  if (pressed?.name) {
    fields.set(pressed.name, pressed.value);
  }
  return { action: action === undefined ? url : unescapeHtml(action), fields };
}

function findTags(html: string, tag: string): { name: string; value: string }[] {
  return [...html.matchAll(new RegExp(`<${tag}\\b([^>]*)>`, 'g'))].map(([, attributes = '']) => ({
    name: readAttribute(attributes, 'name'),
    value: readAttribute(attributes, 'value'),
  }));
}

function readAttribute(attributes: string, name: string): string {
  return unescapeHtml(new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? '');
}

function unescapeHtml(text: string): string {
  return text.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}
