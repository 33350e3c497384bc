"""The Gradio chat window and the web server around it."""
