/** The example of the recipe "A section of the panel" in `docs/developing.md`. */

import React from 'react';
import type { IPanelSection, ISectionProps } from '../../tokens';
import { revisionOf, useReading } from '../../widgets/hooks';
import { ErrorLine, Note } from '../../widgets/words';

/** How many kernels use the governance session of the notebook. */
export const exampleSection: IPanelSection = {
  id: 'example',
  rank: 25,
  title: trans => trans.__('Kernels'),
  isShown: ({ state }) => state?.active === true,
  Body: Kernels
};

function Kernels(props: ISectionProps): React.JSX.Element {
  const { api, model, path, state, trans } = props;
  const { value, message } = useReading(
    path ?? '',
    revisionOf(model, state),
    () => api.session.kernels()
  );
  const kernels = value?.filter(({ notebook }) => notebook === path) ?? [];
  return (
    <>
      <ErrorLine message={message} />
      <Note>{trans._n('%1 kernel', '%1 kernels', kernels.length)}</Note>
    </>
  );
}
