import { render } from 'preact'
import '../ui/style.css'
import '../ui/media.css'
import '../ui/ecg.css'
import '../dicom/dicom.css'
import '../ui/console.css'
import { App } from './app'
import { Console } from './client'
import { ConsoleContext } from './context'

const client = new Console()
render(
  <ConsoleContext.Provider value={client}>
    <App />
  </ConsoleContext.Provider>,
  document.getElementById('app')!,
)
