import { modelPlugin, statusPlugin } from './plugins';

export * from './protocol';
export * from './tokens';

export default [modelPlugin, statusPlugin];
