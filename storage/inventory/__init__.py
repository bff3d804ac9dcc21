"""What the workspace holds, in one list: what each kind of file is, and how it is looked after."""
