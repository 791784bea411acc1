/** A version of CHANGELOG.md and what stands below its heading. */
export interface Section {
  /** `Unreleased`, or a version. */
  readonly name: string;
  /** Empty when nothing stands there. */
  readonly text: string;
}

/** The sections of CHANGELOG.md, newest first. */
export function readSections(changelog: string): Section[] {
  return changelog
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const end = section.indexOf('\n');
      return end === -1
        ? { name: section.trim(), text: '' }
        : { name: section.slice(0, end).trim(), text: section.slice(end).trim() };
    });
}

/** The heading of what is not released yet. */
export const UNRELEASED = 'Unreleased';
