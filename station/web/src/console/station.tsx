import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useCell } from '../observable'
import type { BrokerView, DiskView, Finding, RelayView, SourceView, StationState } from '../protocol'
import { said, t, word } from '../text'
import { Icon, type IconName } from '../ui/icons'
import { Age, Button, Dialog, Notice, Pill, useAction } from '../ui/parts'
import { useConsole } from './context'
import { FeedRows } from './feeds'

export function sourceTitle(name: string): string {
  return word('source', name)
}

/** Machine words of media/capture/source.h, in plain words. */
export function sourceReason(source: SourceView): string {
  if (source.state === 'running') return t('source-state.running')
  const cause = /^[a-z-]+/.exec(source.reason ?? '')?.[0]
  const why = cause ? word('source-reason', cause) : ''
  const state = word('source-state', source.state)
  return why && why !== cause ? why : state
}

function hoursText(hours: number): string {
  if (hours >= 48) return t('disk.days', { n: Math.floor(hours / 24) })
  if (hours >= 2) return t('disk.hours', { n: Math.floor(hours) })
  return t('disk.minutes', { n: Math.max(0, Math.floor(hours * 60)) })
}

/** The state of the station in plain words: what works, what does not, what to do. */
export function StationPanel({ state }: { state: StationState }): JSX.Element {
  const hello = useCell(useConsole().hello)
  const [checking, setChecking] = useState(false)
  const { disk } = state
  return (
    <section class="card station-card" data-testid="station">
      <header class="card-head">
        <h2>{t('station.title')}</h2>
        <Button icon="check" onClick={() => setChecking(true)} testid="check">{t('station.check')}</Button>
      </header>
      {(hello?.problems ?? []).map((problem) => (
        <Notice key={problem.code} look={problem.level === 'bad' ? 'bad' : 'warn'}>{said(problem.text)}</Notice>
      ))}
      {hello?.ready === false && <Notice look="warn">{t('station.not-ready')}</Notice>}
      <ul class="rows">
        {state.sources.map((source) => (
          <Row key={source.name} icon={source.kind === 'audio' ? 'mic' : 'camera'} title={sourceTitle(source.name)}
            says={sourceReason(source)} look={source.state === 'running' ? 'good' : source.state === 'missing' ? 'bad' : 'warn'} />
        ))}
        <FeedRows feeds={state.feeds ?? []} />
        {state.devices.filter(({ device }) => !state.feeds?.some((feed) => feed.device === device)).map((device) => (
          <li key={device.device}>
            <Icon name="heart" />
            <span class="grow"><strong>{device.sender || device.device}</strong><small>{device.device}</small></span>
            {device.last ? <span class="quiet"><Age time={device.last} /></span> : <Pill>{t('device.silent')}</Pill>}
          </li>
        ))}
        {state.devices.length === 0 && !state.feeds?.length && <Row icon="heart" title={t('device.none')} says={t('device.none.more')} look="quiet" />}
        {(state.relays ?? []).map((relay) => (
          <Row key={relay.relay} icon="signal" title={relay.relay} testid="relay"
            says={t(relay.level === 'good' ? 'relay.good' : 'relay.bad')} look={relay.level} />
        ))}
        {state.broker && (
          <Row icon="signal" title={t('broker.title', { broker: state.broker.broker ?? '' })} testid="broker"
            says={t(state.broker.connected ? 'broker.connected' : 'broker.connecting')}
            look={state.broker.connected ? 'good' : state.broker.level === 'bad' ? 'bad' : 'warn'} />
        )}
        {typeof disk.days_left === 'number' && (
          <Row icon="clock" title={t('disk.lasts')} says={t('disk.days', { n: disk.days_left })} testid="disk-days"
            look={disk.soon ? 'warn' : 'good'} />
        )}
        <Row icon="film" title={t('disk.title')} says={hoursText(disk.recording_hours)} testid="recording-hours"
          look={disk.level === 'good' ? 'good' : disk.level === 'low' ? 'warn' : 'bad'} />
      </ul>
      <RelayNotices relays={state.relays ?? []} />
      <BrokerNotice broker={state.broker} />
      <DiskNotices disk={disk} />
      {disk.level === 'low' && <Notice look="warn">{t('disk.low')}</Notice>}
      {disk.level === 'full' && <Notice look="bad">{t('disk.full')}</Notice>}
      {checking && <CheckDialog onClose={() => setChecking(false)} />}
    </section>
  )
}

/** The disk long before it is full. */
function DiskNotices({ disk }: { disk: DiskView }): JSX.Element {
  return (
    <>
      {disk.soon && typeof disk.days_left === 'number' && (
        <Notice look="warn" testid="disk-soon">{t('disk.soon', { n: disk.days_left })}</Notice>
      )}
      {disk.making_room && (
        <Notice look={disk.stuck ? 'bad' : 'info'} testid="disk-room">
          {disk.stuck ? word('disk-stuck', disk.stuck) : t('disk.making-room', { n: disk.erased ?? 0 })}
        </Notice>
      )}
    </>
  )
}

/** Which relay does not work, and why. */
export function RelayNotices({ relays }: { relays: RelayView[] }): JSX.Element {
  return (
    <>
      {relays.filter(({ level }) => level === 'bad').map((relay) => (
        <Notice key={relay.relay} look="warn" testid="relay-failed">{said(relay.text)}</Notice>
      ))}
    </>
  )
}

/** The broker is not reached, why, and what to do. */
export function BrokerNotice({ broker }: { broker: BrokerView | null | undefined }): JSX.Element | null {
  return broker?.level === 'bad' ? <Notice look="warn" testid="broker-failed">{said(broker.text)}</Notice> : null
}

function Row(props: { icon: IconName; title: string; says: string; look: 'good' | 'warn' | 'bad' | 'quiet'; testid?: string }): JSX.Element {
  return (
    <li>
      <Icon name={props.icon} />
      <span class="grow"><strong>{props.title}</strong></span>
      {props.look === 'quiet'
        ? <span class="quiet">{props.says}</span>
        : <Pill look={props.look} testid={props.testid}>{props.says}</Pill>}
    </li>
  )
}

/** What needs doing comes first. */
function weight(finding: Finding): number {
  return finding.level === 'bad' ? 0 : finding.level === 'warn' ? 1 : 2
}

function CheckDialog({ onClose }: { onClose: () => void }): JSX.Element {
  const client = useConsole()
  const [findings, setFindings] = useState<Finding[] | null>(null)
  const { busy, problem, run } = useAction()
  const check = (): void => {
    void run(async () => {
      const answer = await client.ask('check')
      setFindings((answer['findings'] as Finding[] | undefined) ?? [])
    })
  }
  if (!findings && !busy && !problem) check()
  return (
    <Dialog title={t('station.check')} onClose={onClose} testid="check-dialog">
      <div class="dialog-body">
        {problem && <Notice look="bad">{problem}</Notice>}
        {busy && <p class="quiet" role="status">{t('station.checking')}</p>}
        {findings?.length === 0 && <Notice look="good">{t('station.all-good')}</Notice>}
        {findings && [...findings].sort((a, b) => weight(a) - weight(b)).map((finding, i) => (
          <Notice key={i} look={finding.level === 'good' ? 'good' : finding.level === 'warn' ? 'warn' : 'bad'}>
            {said(finding.text)}
          </Notice>
        ))}
      </div>
      <footer><Button look="primary" busy={busy} onClick={check}>{t('station.check-again')}</Button></footer>
    </Dialog>
  )
}
