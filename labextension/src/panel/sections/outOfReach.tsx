import React from 'react';
import type { IGovernanceState } from '../../protocol/state';
import type { ISectionProps } from '../../tokens';
import { useReading } from '../../widgets/hooks';
import { Note } from '../../widgets/words';

/** Says that the server cannot govern the notebook's kernel; nothing where it can, or where that is not known. */
export function OutOfReach(
  props: ISectionProps & { path: string; state: IGovernanceState }
): React.JSX.Element | null {
  const { api, model, path, state, trans } = props;
  const kernels = useReading(
    path,
    `${model.kernelChanges} ${model.connection}`,
    () => api.session.kernels()
  );
  const owner = state.shared_with ?? path;
  const isOut = kernels.value?.some(
    kernel => kernel.notebook === owner && !kernel.reachable
  );
  return isOut ? (
    <Note>
      {trans.__(
        'The server cannot reach the kernel of this notebook, as none behind a gateway: whatever it asks fails, and nothing is authorised.'
      )}
    </Note>
  ) : null;
}
