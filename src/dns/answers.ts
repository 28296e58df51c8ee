// One question within the zones → its reply, by type. Everything that needs no other server is decided here at once; an ExternalName
// that leads out of the zone is what makes an answer wait.
import { aliasAnswer } from './alias.ts';
import { nameServerRecords, soaRecord } from './apex.ts';
import { type AnswerContext, findName } from './find-name.ts';
import { isApex, isDefaultServer, isZoneLowerCase, labelsBelow, type Question } from './question.ts';
import { RCODE, type ResourceRecord, TYPE } from './record.ts';
import { negativeReply, positiveReply, type Reason, type Reply } from './reply.ts';
import { addressOfReverseName, namesOfAddress } from './reverse.ts';
import { addressRecords, serviceRecords } from './target-records.ts';

const VERSION_LABEL = 'dns-version';
const SCHEMA_VERSION = '1.1.0';
const VERSION_TTL = 28800;

/** The reply to a question, negative ones with their SOA. */
export function answer(question: Question, context: AnswerContext): Reply | Promise<Reply> {
  const { type, spelledZone } = question;
  const { settings } = context;
  switch (type) {
    case TYPE.A:
    case TYPE.AAAA:
      return answerAddresses(question, context);
    case TYPE.SRV:
      return answerServices(question, context);
    case TYPE.CNAME:
      return answerAlias(question, context);
    case TYPE.TXT:
      return answerText(question, context);
    case TYPE.PTR:
      return answerReverse(question, context);
    case TYPE.SOA:
      if (!isApex(question)) return noData(question, context, 'noSuchType');
      return positiveReply([soaRecord(spelledZone, question.zone.isMulticluster, context.source, settings)]);
    case TYPE.NS:
      return isApex(question) && isZoneLowerCase(question) ? answerServers(question, context) : answerExistence(question, context);
    default:
      return answerExistence(question, context);
  }
}

/** No such name, or a failure as long as not everything is known. */
export function nameError(question: Question, context: AnswerContext, reason: Reason): Reply {
  const isKnown = context.settings.synced;
  return negativeReply(isKnown ? RCODE.NXDOMAIN : RCODE.SERVFAIL, zoneSoa(question, context), isKnown ? reason : 'unsynced');
}

function noData(question: Question, context: AnswerContext, reason: Reason): Reply {
  return negativeReply(RCODE.NOERROR, zoneSoa(question, context), reason);
}

function zoneSoa({ spelledZone, zone }: Question, { source, settings }: AnswerContext): ResourceRecord {
  return soaRecord(spelledZone, zone.isMulticluster, source, settings);
}

function answerAddresses(question: Question, context: AnswerContext): Reply | Promise<Reply> {
  const found = findName(question, context);
  switch (found.kind) {
    case 'absent':
      return nameError(question, context, found.why);
    case 'node':
      return noData(question, context, 'node');
    case 'alias':
      return aliasAnswer(question, found.target, context).then(({ records, truncated }) =>
        records.length === 0 ? noData(question, context, 'aliasTarget') : positiveReply(records, [], truncated),
      );
    default: {
      const records = addressRecords(question, found.targets, context.settings.ttl);
      return records.length === 0 ? noData(question, context, 'noSuchType') : positiveReply(records);
    }
  }
}

function answerServices(question: Question, context: AnswerContext): Reply {
  const found = findName(question, context);
  if (found.kind === 'absent') return nameError(question, context, found.why);
  if (found.kind !== 'targets') return noData(question, context, found.kind === 'node' ? 'node' : 'noSuchType');
  const { records, glue } = serviceRecords(question, found.targets, context.settings.ttl);
  return records.length === 0 ? noData(question, context, 'noSuchType') : positiveReply(records, glue);
}

function answerAlias(question: Question, context: AnswerContext): Reply {
  const found = findName(question, context);
  if (found.kind === 'absent') return nameError(question, context, found.why);
  if (found.kind !== 'alias') return noData(question, context, found.kind === 'node' ? 'node' : 'noSuchType');
  return positiveReply([{ name: question.name, type: 'CNAME', ttl: context.settings.ttl, target: found.target }]);
}

/** `dns-version` alone has text. Names without Services or Pods of their own are not even there for this type. */
function answerText(question: Question, context: AnswerContext): Reply {
  const labels = labelsBelow(question);
  if (labels.length === 1 && labels[0] === VERSION_LABEL)
    return positiveReply([{ name: question.name, type: 'TXT', ttl: VERSION_TTL, strings: [SCHEMA_VERSION] }]);
  if (isDefaultServer(question)) return nameError(question, context, 'noText');
  const found = findName(question, context);
  if (found.kind === 'absent') return nameError(question, context, found.why);
  const isEmpty = found.kind === 'node' || (found.kind === 'targets' && found.targets.length === 0);
  return isEmpty ? nameError(question, context, 'noText') : noData(question, context, 'noSuchType');
}

/** Names that are no reverse names have none, if they are there: `ns.dns` is a fixed name of other types. */
function answerReverse(question: Question, context: AnswerContext): Reply | Promise<Reply> {
  const address = addressOfReverseName(question.lowered);
  if (isDefaultServer(question)) return nameError(question, context, 'shape');
  if (address === undefined) return answerExistence(question, context);
  const { source, settings } = context;
  const targets = namesOfAddress(address, source, settings);
  if (targets.length === 0) return nameError(question, context, 'reverse');
  return positiveReply(targets.map((target) => ({ name: question.name, type: 'PTR', ttl: settings.ttl, target })));
}

function answerServers(question: Question, context: AnswerContext): Reply {
  const { records, glue } = nameServerRecords(question.zone.name, context.source, context.settings);
  return records.length === 0 ? noData(question, context, 'node') : positiveReply(records, glue);
}

/** A type that nothing has: whether the name is there decides between no data and no such name. */
function answerExistence(question: Question, context: AnswerContext): Reply {
  const found = findName(question, context);
  return found.kind === 'absent'
    ? nameError(question, context, found.why)
    : noData(question, context, found.kind === 'node' ? 'node' : 'noSuchType');
}
