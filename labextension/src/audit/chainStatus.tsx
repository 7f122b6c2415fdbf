import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { IAuditApi } from '../server/auditApi';
import type { IVerification } from '../protocol/audit';
import type { Notation } from '../words/notation';
import { Button } from '../widgets/button';
import { useNotation } from '../widgets/notation';

/** Whether the records are those that were written, as the server finds when it walks their chains. */
export function ChainStatus(props: ChainStatus.IProps): React.JSX.Element {
  const { api, path, trans } = props;
  const notation = useNotation();
  const [found, setFound] = React.useState<IFound | null>(null);
  const [asked, ask] = React.useReducer((count: number) => count + 1, 0);
  React.useEffect(() => {
    let wanted = true;
    const find = (is: IVerification | string): void => {
      if (wanted) {
        setFound({ path, asked, is });
      }
    };
    api
      .verify(path)
      .then(find, (reason: unknown) =>
        find(reason instanceof Error ? reason.message : String(reason))
      );
    return () => {
      wanted = false;
    };
  }, [api, path, asked]);
  const is =
    found?.path === path && found.asked === asked ? found.is : 'reading';
  const isBroken = typeof is === 'object' && !is.ok;
  return (
    <div
      className="aumos-ChainStatus"
      data-state={
        typeof is === 'object' ? (is.ok ? 'intact' : 'broken') : 'unknown'
      }
    >
      <p role={isBroken ? 'alert' : 'status'}>
        {sentence(is, path, notation, trans)}
      </p>
      {is !== 'reading' && (
        <Button kind="link" onClick={ask}>
          {trans.__('Verify again')}
        </Button>
      )}
    </div>
  );
}

/** A namespace for `ChainStatus` statics. */
export namespace ChainStatus {
  /** The properties of the component. */
  export interface IProps {
    api: IAuditApi;
    /** The notebook whose last session is meant; null for all records. */
    path: string | null;
    trans: TranslationBundle;
  }
}

interface IFound {
  readonly path: string | null;
  /** Which asking it answers, counted from 0. */
  readonly asked: number;
  /** What was found, or that it is being read, or why it could not be. */
  readonly is: IVerification | 'reading' | (string & {});
}

function sentence(
  is: IFound['is'],
  path: string | null,
  notation: Notation,
  trans: TranslationBundle
): string {
  if (is === 'reading') {
    return trans.__('Verifying the record…');
  }
  if (typeof is === 'string') {
    return trans.__('Not verified: %1', is);
  }
  if (!is.ok) {
    return trans.__('The record is broken. %1', is.problem ?? '');
  }
  const checked = notation.count(is.checked);
  return path === null
    ? trans.__('Verified: %1 records in all chains', checked)
    : trans.__('Verified up to record %1', checked);
}
