import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { IAuditApi } from '../server/auditApi';
import type { IVerification } from '../protocol/audit';
import type { Notation } from '../words/notation';
import { Button } from '../widgets/button';
import { asFailure, GovernanceApiError } from '../server/requests';
import { useReading } from '../widgets/hooks';
import { useNotation } from '../widgets/notation';

/** The length of the longest chain that is verified without the user's request, in records. */
const SMALL = 1000;

/**
 * Shows whether the audit record is intact: the server verifies its hash chains and returns the result.
 *
 * The chain of a session of up to {@link SMALL} records is verified automatically, and again after it has grown. Longer
 * chains, and the records of all notebooks, are verified when the user presses the button.
 */
export function ChainStatus(props: ChainStatus.IProps): React.JSX.Element {
  const { api, path, revision, sessionId, trans } = props;
  const notation = useNotation();
  const [found, setFound] = React.useState<IFound | null>(null);
  const [attempt, retry] = React.useReducer((count: number) => count + 1, 0);
  const scope = sessionId ?? path;
  const newest = useReading(scope ?? '', revision, () =>
    scope === null
      ? Promise.resolve(null)
      : api.records(sessionId === null ? { path } : { session_id: scope }, 1)
  );
  const total = path === null ? null : (newest.value?.records[0]?.seq ?? null);
  const isDue = attempt > 0 || (total !== null && total <= SMALL);
  // The effect depends on this number, so that a short chain is verified again after it has grown.
  const length = total !== null && total <= SMALL ? total : null;
  React.useEffect(() => {
    if (!isDue) {
      return undefined;
    }
    let wanted = true;
    const finish = (result: IVerification | GovernanceApiError): void => {
      if (wanted) {
        setFound({ path, attempt, result });
      }
    };
    api
      .verify(path)
      .then(finish, (reason: unknown) => finish(asFailure(reason)));
    return () => {
      wanted = false;
    };
  }, [api, path, attempt, isDue, length]);
  const result =
    found?.path === path && found.attempt === attempt ? found.result : null;
  const isOk =
    result === null || result instanceof GovernanceApiError ? null : result.ok;
  return (
    <div
      className="aumos-ChainStatus"
      data-state={isOk === null ? 'unknown' : isOk ? 'intact' : 'broken'}
    >
      <p role={isOk === false ? 'alert' : 'status'}>
        {result === null
          ? isDue
            ? trans.__('Verifying the record…')
            : trans.__('Not verified yet.')
          : sentence(result, total, notation, trans)}
      </p>
      {(result !== null || !isDue) && (
        <Button kind="link" onClick={retry}>
          {result === null ? trans.__('Verify') : trans.__('Verify again')}
        </Button>
      )}
    </div>
  );
}

/** A namespace for the types that belong to `ChainStatus`. */
export namespace ChainStatus {
  /** The properties of the component `ChainStatus`. */
  export interface IProps {
    api: IAuditApi;
    /** The path of the notebook whose last session is verified; null to verify the records of all sessions. */
    path: string | null;
    /** The id of the last session of that notebook; null if it is unknown or `path` is null. */
    sessionId: string | null;
    /** A text that changes when records may have been added; see {@link revisionOf} in `widgets/hooks.ts`. */
    revision: string;
    trans: TranslationBundle;
  }
}

interface IFound {
  readonly path: string | null;
  /** The value of the counter of button presses when the request was sent. */
  readonly attempt: number;
  /** The result, or the error if the request failed. */
  readonly result: IVerification | GovernanceApiError;
}

function sentence(
  result: IFound['result'],
  total: number | null,
  notation: Notation,
  trans: TranslationBundle
): string {
  if (result instanceof GovernanceApiError) {
    return result.code === 'SERVER_UNREACHABLE'
      ? trans.__('Not verified.')
      : trans.__('Not verified: %1', result.message);
  }
  if (!result.ok) {
    return trans.__('The record is broken. %1', result.problem ?? '');
  }
  const checked = notation.count(result.checked);
  return total === null
    ? trans.__('%1 records of all sessions verified', checked)
    : trans.__(
        '%1 of %2 records verified',
        checked,
        notation.count(Math.max(total, result.checked))
      );
}
