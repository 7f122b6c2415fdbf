import { isAuditPage, isAuditSums, isVerification } from '../../protocol/audit';
import {
  isApproval,
  isApprovalPage,
  isCorrectionResponse,
  isDeniedAtLimit,
  isHoldPage,
  isLimitRequests,
  isReport,
  isReportPage,
  isResolutionResponse
} from '../../protocol/waiting';
import {
  approvals,
  audit,
  corrections,
  holds,
  limits,
  reports
} from '../support/samples';

type Guard = (value: unknown) => boolean;

const cases: [string, Guard, object, object | null][] = [
  ['isHoldPage', isHoldPage, holds.valid, holds.malformed],
  ['isApprovalPage', isApprovalPage, approvals.valid, approvals.malformed],
  ['isLimitRequests', isLimitRequests, limits.valid, limits.malformed],
  ['isDeniedAtLimit', isDeniedAtLimit, limits.responses, null],
  ['isReportPage', isReportPage, reports.valid, reports.malformed],
  ['isResolutionResponse', isResolutionResponse, holds.responses, null],
  ['isApproval', isApproval, approvals.responses, null],
  ['isReport', isReport, reports.responses, null],
  [
    'isCorrectionResponse',
    isCorrectionResponse,
    corrections.valid,
    corrections.malformed
  ],
  ['isAuditPage', isAuditPage, audit.pages, audit.malformed_pages],
  ['isAuditSums', isAuditSums, audit.sums, audit.malformed_sums],
  [
    'isVerification',
    isVerification,
    audit.verifications,
    audit.malformed_verifications
  ]
];

describe.each(cases)('%s', (_, guard, valid, malformed) => {
  it.each(Object.entries(valid))('takes %s', (_, body) => {
    expect(guard(body)).toBe(true);
  });

  it.each([
    ...Object.entries(malformed ?? {}),
    ...[null, 1, 'page', true, [], {}].map(value => [
      JSON.stringify(value),
      value
    ])
  ] as [string, unknown][])('refuses %s', (_, body) => {
    expect(guard(body)).toBe(false);
  });
});
