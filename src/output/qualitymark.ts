/** How good a figure is, as a mark in front of it in tables. Pure. */
import type { Quality } from '../traffic/pairs/pair.ts';

/** Nothing for an exact figure, `≥` for a lower bound, since packets may be missing from it, `~` for a sampled one. */
export function qualityMark({ quality }: { readonly quality: Quality }): string {
  switch (quality) {
    case 'exact':
      return '';
    case 'at-least':
      return '≥';
    default:
      return '~';
  }
}
