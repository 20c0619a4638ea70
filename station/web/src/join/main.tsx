import { render } from 'preact'
import '../ui/style.css'
import '../ui/media.css'
import '../ui/ecg.css'
import '../dicom/dicom.css'
import '../ui/join.css'
import { App } from './app'
import { Guest } from './client'

render(<App guest={new Guest()} />, document.getElementById('app')!)
