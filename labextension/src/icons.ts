import { LabIcon } from '@jupyterlab/ui-components';
import alertSvg from '../style/icons/governance-alert.svg';
import governanceSvg from '../style/icons/governance.svg';
import offSvg from '../style/icons/governance-off.svg';

/** A coin below a ceiling: governed. */
export const governanceIcon = new LabIcon({
  name: 'aumos-governance:governance',
  svgstr: governanceSvg
});

/** A warning sign: the budget is nearly or wholly used, or nobody knows. */
export const alertIcon = new LabIcon({
  name: 'aumos-governance:alert',
  svgstr: alertSvg
});

/** A coin with no ceiling: not governed. */
export const offIcon = new LabIcon({
  name: 'aumos-governance:off',
  svgstr: offSvg
});
