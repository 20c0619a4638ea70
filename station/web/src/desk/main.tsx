import { render } from 'preact'
import '../ui/style.css'
import '../ui/media.css'
import '../ui/ecg.css'
import '../dicom/dicom.css'
import '../ui/join.css'
import '../ui/desk.css'
import { App } from './app'
import { Desk } from './client'
import { DeskContext } from './context'
import { DirectoryError } from './directory'
import { network } from './network'
import { takeReturned } from '../join/return'
import { DirectoryBroken } from './signin'

const returned = takeReturned()
const place = document.getElementById('app')!
void network().then((found) => render(
  <DeskContext.Provider value={new Desk(found, returned)}>
    <App />
  </DeskContext.Provider>,
  place,
), (error: unknown) => render(<DirectoryBroken problem={error instanceof DirectoryError ? error : null} />, place))
