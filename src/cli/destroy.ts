/** `vsb destroy FILE`: apply's way down; see apply.ts. */
export { addDestroy as add } from './apply.ts';
