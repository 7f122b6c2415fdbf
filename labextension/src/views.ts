/**
 * Exports the views that JupyterLab does not need when it starts, so that they are one bundle, with their styles.
 *
 * Only `plugins/later.ts` imports this module, and only with `import()`, so that JupyterLab's start does not wait for
 * it.
 */

import '../style/views.js';

export { AuditView } from './audit/auditView';
export { estimate } from './cells/estimate';
export { confirmRun } from './cells/pricePrompt';
export { WaitingCard } from './cells/waitingCard';
export { DecisionDialog } from './decisions/decisionDialog';
export { DenyDialog } from './decisions/denyDialog';
export { KeyDialog } from './decisions/keyDialog';
export { panelSections } from './panel/sections';
export { approvalsSection } from './panel/sections/approvals';
export { auditSection } from './panel/sections/auditBrief';
export { gatewaySection } from './panel/sections/gateway';
export { limitsSection } from './panel/sections/limits';
export { reportsSection } from './panel/sections/reports';
export { spendingSection } from './panel/sections/spending';
export { startSection } from './panel/sections/start';
export { GovernancePopover } from './status/popover';
