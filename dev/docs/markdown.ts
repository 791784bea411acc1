/** Words of a protocol. */
export function code(text: string): string {
  return `\`${text}\``;
}

/** A link to the section of the same name. */
export function linkTo(section: string): string {
  return `[${code(section)}](#${section})`;
}

/** A table; prettier lines up its columns. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [heads, heads.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** A block of code. */
export function fence(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
}
